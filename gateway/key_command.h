/* `gateway key create|list|revoke`: the command line of the key store. */
#ifndef LK_GATEWAY_KEY_COMMAND_H
#define LK_GATEWAY_KEY_COMMAND_H

/* argv: what follows "gateway key". directory and hash_file: see keys_open; they are not touched
 * when the arguments are wrong or ask for help. Prints; returns the exit code (common/config.h).
 * `create` writes the key, and nothing else, to standard output, and what there is to say of it to
 * standard error, so that it can be sent into a file. */
int key_command(int argc, char *const argv[], const char *directory, const char *hash_file);

#endif
