#include "services/auth-provider/sso/expiry.h"

#include "common/clock.h"
#include "services/auth-provider/sso/login_store.h"

enum {
    EVERY_MS = 10 * 1000,
    PAUSE_MS = 20, /* as with replylog.c: they shrink faster than they can grow */
};

static bool is_due(void *context, store_t *writer, bool at_end)
{
    (void)context;
    (void)at_end;
    bool any = false;
    err_t err;
    return login_store_any_expired(writer, clock_utc_ms(), &any, &err) == STATUS_OK && any;
}

static status_t run(void *context, store_t *writer, bool *out_more, err_t *err)
{
    (void)context;
    return login_store_expire(writer, clock_utc_ms(), EXPIRY_BATCH, out_more, err);
}

chore_t expiry_chore(void)
{
    return (chore_t){.event = "sso_expiry_failed",
                     .every_ms = EVERY_MS,
                     .pause_ms = PAUSE_MS,
                     .is_due = is_due,
                     .run = run};
}
