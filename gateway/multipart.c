#include "gateway/multipart.h"

size_t multipart_receive(void *socket, zmq_msg_t *frames, size_t room, bool *out_more)
{
    size_t count = 0;
    *out_more = true;
    while (*out_more && count < room) {
        zmq_msg_t *frame = &frames[count];
        (void)zmq_msg_init(frame);
        if (zmq_msg_recv(frame, socket, ZMQ_DONTWAIT) < 0) {
            multipart_close(frames, count + 1);
            *out_more = false;
            return 0;
        }
        *out_more = zmq_msg_more(frame) != 0;
        count++;
    }
    return count;
}

bool multipart_skip(void *socket, size_t most)
{
    bool more = true;
    for (size_t i = 0; more && i < most; i++) {
        zmq_msg_t frame;
        if (multipart_receive(socket, &frame, 1, &more) == 1)
            multipart_close(&frame, 1);
    }
    return more;
}

void multipart_close(zmq_msg_t *frames, size_t count)
{
    for (size_t i = 0; i < count; i++)
        (void)zmq_msg_close(&frames[i]);
}
