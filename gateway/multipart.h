/* Reading messages of several frames, piece by piece: their number is the sender's choice. Next:
 * port.h. */
#ifndef LK_GATEWAY_MULTIPART_H
#define LK_GATEWAY_MULTIPART_H

#include <stdbool.h>
#include <stddef.h>
#include <zmq.h>

/* Reads at most `room` frames of the next message, without waiting. Returns how many: 0 if none is
 * there. *out_more: the message goes on; multipart_skip what is of no use. */
size_t multipart_receive(void *socket, zmq_msg_t *frames, size_t room, bool *out_more);
/* Reads and drops at most `most` frames of a message that goes on. Returns whether it still does.
 */
bool multipart_skip(void *socket, size_t most);
void multipart_close(zmq_msg_t *frames, size_t count);

#endif
