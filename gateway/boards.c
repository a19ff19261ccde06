#include "gateway/boards.h"

#include "common/clock.h"
#include "common/mem.h"
#include "common/text.h"
#include "gateway/gateway_metrics.h"
#include "proto/board.h"
#include "proto/registry.h"

#include <stdatomic.h>

enum { SERVICES_MAX = 16, DIRECTORY_SIZE = 512 };

typedef _Atomic(board_t *) board_slot_t;

struct boards {
    char directory[DIRECTORY_SIZE];
    broker_t *broker;
    answers_t *answers;
    board_slot_t of[SERVICES_MAX]; /* set once, by whoever refreshes */
};

boards_t *boards_open(const char *directory, size_t bytes, broker_t *broker)
{
    boards_t *boards = mem_zalloc(sizeof(*boards));
    text_cut(boards->directory, sizeof(boards->directory), directory);
    boards->broker = broker;
    boards->answers = answers_new(bytes);
    boards_refresh(boards);
    return boards;
}

void boards_close(boards_t **boards)
{
    boards_t *self = *boards;
    if (self == NULL)
        return;
    answers_destroy(&self->answers);
    for (size_t i = 0; i < registry_count && i < SERVICES_MAX; i++) {
        board_t *board = atomic_load(&self->of[i]);
        board_close(&board);
    }
    mem_free(self);
    *boards = NULL;
}

static bool has_kept(const service_t *service)
{
    for (size_t i = 0; i < service->operation_count; i++)
        if ((service->operations[i].flags & OPERATION_KEPT) != 0)
            return true;
    return false;
}

static board_t *board_of(const boards_t *boards, size_t service)
{
    return service < SERVICES_MAX ? atomic_load(&boards->of[service]) : NULL;
}

static answers_now_t look(const board_t *board)
{
    return (answers_now_t){
        .board = board_id(board), .version = board_version(board), .now_utc_ms = clock_utc_ms()};
}

void boards_refresh(boards_t *boards)
{
    answers_now_t now[SERVICES_MAX];
    size_t count = 0;
    for (size_t i = 0; boards != NULL && i < registry_count && i < SERVICES_MAX; i++) {
        board_t *board = board_of(boards, i);
        err_t err;
        if (!has_kept(registry[i]))
            continue;
        if (board != NULL)
            board_refresh(board);
        else if (board_watch(boards->directory, registry[i]->name, &board, &err) == STATUS_OK)
            atomic_store(&boards->of[i], board);
        if (board != NULL)
            now[count++] = look(board);
    }
    if (boards != NULL)
        answers_sweep(boards->answers, now, count);
}

static answer_key_t key_of(const exchange_t *exchange)
{
    return (answer_key_t){.operation = exchange->route.operation,
                          .is_operator = exchange->key.is_operator,
                          .organization_id = exchange->key.organization_id,
                          .query = http_query(exchange->http)};
}

/* The version is read before the answer is sought, and stands by the time that it has been found.
 */
bool boards_give(boards_t *boards, exchange_t *exchange, media_t *out_media)
{
    const route_t *route = &exchange->route;
    if (boards == NULL || (route->operation->flags & OPERATION_KEPT) == 0)
        return false;
    const board_t *board = board_of(boards, route->service);
    const answer_key_t key = key_of(exchange);
    bool given = false;
    if (board != NULL && broker_serves(boards->broker, route->service)) {
        const answers_now_t now = look(board);
        given = answers_find(boards->answers, &key, &now, &exchange->body, out_media) &&
                board_stands(board, now.board, now.version);
    }
    if (!given)
        msgpack_sbuffer_clear(&exchange->body);
    gateway_metrics_kept(given);
    return given;
}

void boards_keep(boards_t *boards, const exchange_t *exchange, media_t media)
{
    const route_t *route = &exchange->route;
    const reply_t *reply = &exchange->reply;
    if (boards == NULL || route->operation == NULL ||
        (route->operation->flags & OPERATION_KEPT) == 0 || !outcome_is_success(reply->outcome) ||
        reply->fresh.board == 0)
        return;
    const answer_key_t key = key_of(exchange);
    answers_keep(boards->answers, &key, &reply->fresh, media, exchange->body.data,
                 exchange->body.size);
}
