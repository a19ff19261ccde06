#include "services/common/prepared.h"

#include "common/mem.h"

#include <assert.h>
#include <sodium.h>

static void end_prepared(void *state)
{
    prepared_t *prepared = state;
    if (prepared->release != NULL)
        prepared->release(prepared);
    sodium_memzero(prepared, prepared->size);
    mem_free(prepared);
}

void *prepared_keep(call_t *call, status_t status, const verdict_t *verdict, const err_t *err,
                    size_t size, void (*release)(void *prepared))
{
    assert(size >= sizeof(prepared_t) && call->state == NULL);
    if (status != STATUS_OK) {
        call_fail(call, err);
        return NULL;
    }
    prepared_t *prepared = mem_zalloc(size);
    prepared->verdict = *verdict;
    prepared->size = size;
    prepared->release = release;
    call->state = prepared;
    call->free_state = end_prepared;
    return prepared;
}

bool prepared_passes(call_t *call)
{
    const prepared_t *prepared = call->state;
    err_t none = {0};
    return prepared == NULL || verdict_passes(call, STATUS_OK, &prepared->verdict, &none);
}
