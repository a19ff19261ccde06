/* `PROGRAM seal-keys`: which seal keys a service still needs, for deploy/rotate-seal-key.sh. */
#ifndef LK_SERVICES_COMMON_SEAL_COMMAND_H
#define LK_SERVICES_COMMON_SEAL_COMMAND_H

#include "services/common/backup_command.h"

/* Of --help. */
#define SEAL_COMMAND_USAGE                                                                         \
    "  seal-keys               which keys its values are sealed with, and who has which\n"

bool seal_command_is_meant(int argc, char *const argv[]);

/* Tells on standard output, a fact a line:
 *   front ID          the key of the file that seals
 *   key ID ROWS       every key of the file, and every other that is in use: what is in the store
 *                     that can't be read without it
 *   workers same      no process that works with the store has other keys than the file has now,
 *   workers other     or one has: it has not noticed yet, or refuses the file, as its log says
 * The store may be in use, or not be there. Returns main's exit code, as backup_command's. */
int seal_command(const backup_command_t *command, int argc, char *const argv[]);

#endif
