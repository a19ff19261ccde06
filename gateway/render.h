/* From a reply to an HTTP response, in the route's dialect. Last stop of a request.
 *
 * Must never: decide anything; the outcome is settled. */
#ifndef LK_GATEWAY_RENDER_H
#define LK_GATEWAY_RENDER_H

#include "gateway/exchange.h"

/* Fills exchange->response from exchange->reply; the body belongs to the exchange. Returns what the
 * body is. */
media_t render_reply(exchange_t *exchange);

/* The same with a body that stands in exchange->body already: an answer that is given again. */
void render_again(exchange_t *exchange, media_t media);

/* Any JSON value (taken over) as the body. */
void render_json(exchange_t *exchange, int status, json_t *value);

/* The same for JSON text, which is borrowed until the response has been sent. */
void render_text(exchange_t *exchange, int status, const char *text, size_t length);

#endif
