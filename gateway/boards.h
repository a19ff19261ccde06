/* The services' boards as this gateway sees them: whether an answer may be given again. A board may
 * come at any time, with the first worker on this host; where there is none, nothing is kept.
 * Next: proto/board.h. */
#ifndef LK_GATEWAY_BOARDS_H
#define LK_GATEWAY_BOARDS_H

#include "gateway/answers.h"
#include "gateway/broker.h"
#include "gateway/exchange.h"

typedef struct boards boards_t;

/* directory: where services put their boards (LK_BOARD_DIR). bytes: of answers that are kept.
 * broker is borrowed until boards_close. */
boards_t *boards_open(const char *directory, size_t bytes, broker_t *broker);
/* NULL-safe; clears *boards. */
void boards_close(boards_t **boards);

/* Looks for boards, and wipes what is not fresh any more: a few times a second, one thread.
 * boards NULL: does nothing. */
void boards_refresh(boards_t *boards);

/* Gives the routed request's answer from memory, if nothing has changed since it was made and a
 * worker lives that could give it: exchange->body, and its media type. The request must have passed
 * key, rate and scope. boards NULL: false. */
bool boards_give(boards_t *boards, exchange_t *exchange, media_t *out_media) MUST_CHECK;

/* Keeps the rendered answer (exchange->body) if the reply allows it. boards NULL: does nothing. */
void boards_keep(boards_t *boards, const exchange_t *exchange, media_t media);

#endif
