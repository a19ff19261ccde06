/* Not built yet: each part that is takes its lines out of here. */
#include "services/common/sip/ops.h"
#include "services/common/sip/sip.h"

#define NOT_YET(name_)                                                                             \
    void name_(call_t *call, store_t *reader)                                                      \
    {                                                                                              \
        (void)reader;                                                                              \
        call_refuse(call, OUTCOME_UNAVAILABLE, "not built yet");                                   \
    }
NOT_YET(sip_report)
NOT_YET(sip_decisions)

status_t sip_memory_open(const char *directory, const char *service, const sip_settings_t *settings,
                         board_t *board, sip_memory_t **out, err_t *err)
{
    (void)directory;
    (void)service;
    (void)settings;
    (void)board;
    (void)err;
    *out = NULL;
    return STATUS_OK;
}
void sip_memory_close(sip_memory_t **memory)
{
    *memory = NULL;
}
bool sip_lockout_holds(sip_memory_t *memory, const char *family, const char *username,
                       const ipnet_t *source, int64_t now_utc_ms, int64_t *out)
{
    (void)memory;
    (void)family;
    (void)username;
    (void)source;
    (void)now_utc_ms;
    (void)out;
    return false;
}
void sip_lockout_fail(sip_memory_t *memory, const char *family, const char *username,
                      const ipnet_t *source, int64_t now_utc_ms)
{
    (void)memory;
    (void)family;
    (void)username;
    (void)source;
    (void)now_utc_ms;
}
void sip_lockout_succeed(sip_memory_t *memory, const char *family, const char *username,
                         const ipnet_t *source, int64_t now_utc_ms)
{
    (void)memory;
    (void)family;
    (void)username;
    (void)source;
    (void)now_utc_ms;
}
replay_t sip_replay_remember(sip_memory_t *memory, const void *fact, size_t length,
                             int64_t now_utc_ms, int64_t until_utc_ms)
{
    (void)memory;
    (void)fact;
    (void)length;
    (void)now_utc_ms;
    (void)until_utc_ms;
    return REPLAY_FRESH;
}
replay_t sip_nonce_first_seen(sip_memory_t *memory, const void *nonce, size_t length,
                              int64_t now_utc_ms, int64_t *out)
{
    (void)memory;
    (void)nonce;
    (void)length;
    *out = now_utc_ms;
    return REPLAY_FRESH;
}
bool sip_replay_holds(sip_memory_t *memory, const void *fact, size_t length, int64_t now_utc_ms)
{
    (void)memory;
    (void)fact;
    (void)length;
    (void)now_utc_ms;
    return false;
}
bool sip_nonce_seen(sip_memory_t *memory, const void *nonce, size_t length, int64_t now_utc_ms,
                    int64_t *out)
{
    (void)memory;
    (void)nonce;
    (void)length;
    *out = now_utc_ms;
    return false;
}
void sip_ring_add(sip_memory_t *memory, const decision_t *denial)
{
    (void)memory;
    (void)denial;
}
size_t sip_ring_read(sip_memory_t *memory, decision_t *out, size_t room)
{
    (void)memory;
    (void)out;
    (void)room;
    return 0;
}
