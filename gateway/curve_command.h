/* `gateway curve-keys`: makes what is missing of CURVE's keys, and never changes what is there. */
#ifndef LK_GATEWAY_CURVE_COMMAND_H
#define LK_GATEWAY_CURVE_COMMAND_H

/* Makes the directory if there is none, the gateways' key, and a key for each service, which it
 * adds to the allow list; prints the names of the files it has written. All are for their owner
 * alone. Two at once take turns. Returns main's exit code. */
int curve_command(const char *directory);

#endif
