/* bare-worker DATABASE ENDPOINT connect|bind
 *
 * The other end of bare-gateway: one prepared SELECT per message, by the key that the message
 * holds. Reads the stores that the suite itself has made, so that both read the same rows. */
#include "tests/bench/bare.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

static const char select_method[] = "SELECT * FROM method WHERE uuid = ?1";

static void write_columns(sqlite3_stmt *query, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (int i = 0; i < sqlite3_column_count(query) && used < size; i++) {
        const unsigned char *text = sqlite3_column_text(query, i);
        int length = snprintf(out + used, size - used, "%s|",
                              text == NULL ? (const unsigned char *)"" : text);
        used += length < 0 ? 0 : (size_t)length;
    }
}

/* A ROUTER's messages begin with the sender's identity, and a proxied DEALER's with its way back.
 */
static void serve(void *socket, sqlite3_stmt *query)
{
    for (;;) {
        zmq_msg_t frame;
        zmq_msg_init(&frame);
        if (zmq_msg_recv(&frame, socket, 0) < 0)
            return;
        if (zmq_msg_more(&frame)) {
            zmq_msg_send(&frame, socket, ZMQ_SNDMORE);
            continue;
        }
        char value[BARE_VALUE_MAX] = "";
        sqlite3_bind_text(query, 1, zmq_msg_data(&frame), (int)zmq_msg_size(&frame), SQLITE_STATIC);
        if (sqlite3_step(query) == SQLITE_ROW)
            write_columns(query, value, sizeof(value));
        sqlite3_reset(query);
        zmq_msg_close(&frame);
        zmq_send(socket, value, strlen(value), 0);
    }
}

int main(int argc, char *argv[])
{
    if (argc != 4) {
        (void)fprintf(stderr, "usage: bare-worker DATABASE ENDPOINT connect|bind\n");
        return 64;
    }
    sqlite3 *database = NULL;
    sqlite3_stmt *query = NULL;
    if (sqlite3_open_v2(argv[1], &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
            SQLITE_OK ||
        sqlite3_exec(database, "PRAGMA wal_autocheckpoint=0", NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(database, select_method, -1, &query, NULL) != SQLITE_OK) {
        (void)fprintf(stderr, "bare-worker: %s: %s\n", argv[1], sqlite3_errmsg(database));
        return 1;
    }
    void *context = zmq_ctx_new();
    bool bind = strcmp(argv[3], "bind") == 0;
    void *socket = zmq_socket(context, bind ? ZMQ_ROUTER : ZMQ_DEALER);
    if ((bind ? zmq_bind(socket, argv[2]) : zmq_connect(socket, argv[2])) != 0) {
        (void)fprintf(stderr, "bare-worker: %s: %s\n", argv[2], zmq_strerror(zmq_errno()));
        return 1;
    }
    serve(socket, query);
    return 0;
}
