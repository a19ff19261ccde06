/* What call authorization remembers without a transaction: failures, responses that were used,
 * recent denials. Shared by all processes of the service on one host (a file, SERVICE.calls, mapped
 * MAP_SHARED beside the database): it holds across threads, replicas and restarts, and need not
 * outlive a power cut. A process that is killed at any instruction leaves no lock and no half of a
 * fact: each is one 64-bit word, changed by compare-and-swap.
 *
 * Names and addresses stand there as keyed hashes; the key is made with the file. Next: slots.h,
 * lockout.c, replay.c, ring.c. */
#ifndef LK_SERVICES_COMMON_SIP_MEMORY_H
#define LK_SERVICES_COMMON_SIP_MEMORY_H

#include "proto/board.h"
#include "services/common/sip/family.h"

typedef struct sip_memory sip_memory_t;

/* Settings of a service with a family (settings.c appends their rows). */
typedef struct {
    int64_t lockout_failures; /* LK_SIP_LOCKOUT_FAILURES: of one user name from one source; 0: no
                                 lock-out */
    int64_t lockout_source_failures; /* LK_SIP_LOCKOUT_SOURCE_FAILURES: from one source, of any user
                                        name */
    int64_t lockout_window_s;        /* LK_SIP_LOCKOUT_WINDOW_SECONDS */
    int64_t lockout_s;               /* LK_SIP_LOCKOUT_SECONDS: the first time; doubles */
    int64_t lockout_max_s;           /* LK_SIP_LOCKOUT_MAX_SECONDS */
    char lockout_exempt[1024];       /* LK_SIP_LOCKOUT_EXEMPT: ranges, between commas */
    int64_t nonce_s;                 /* LK_SIP_NONCE_SECONDS: how long a nonce is good */
    int64_t ha1_ttl_s;               /* LK_SIP_HA1_TTL_SECONDS: the longest ttl of /ha1 */
    int64_t memory_mib;              /* LK_SIP_MEMORY_MIB: of the file; see below */
} sip_settings_t;

enum {
    SIP_MEMORY_MIB_LEAST = 2,
    SIP_NONCE_MEMORY_S = 24 * 60 * 60, /* a nonce that is not ours is known again for so long, at
                                          least; longer than any nonce is good (settings.c) */
    SIP_RING = 1024,                   /* denials that are remembered */
};

/* directory: of the store. The file is made (0600) where there is none or one of another form.
 * `alone`: no other process of the service runs; one of another size than is set is then made anew.
 * settings and board are borrowed until sip_memory_close; lock-outs raise the board (NULL: none;
 * those that begin are left to whoever has one).
 * STATUS_INVALID, STATUS_TOO_LARGE: LK_SIP_LOCKOUT_EXEMPT is malformed, or the path too long;
 * STATUS_FULL: no room on the disk; STATUS_SYSTEM. */
status_t sip_memory_open(const char *directory, const char *service, bool alone,
                         const sip_settings_t *settings, board_t *board, sip_memory_t **out,
                         err_t *err) MUST_CHECK;
/* NULL-safe; clears *memory. */
void sip_memory_close(sip_memory_t **memory);

/* ---- Lock-out ----
 *
 * asker: who asks and tells of failures, sip_asker() (sip.h): what the keys of one organization
 * tell locks out nobody for those of another. source: an address, of which IPv6's /64 counts; NULL:
 * not known, so that nothing is counted and nothing holds, or a name could be locked out by
 * anybody. The same for exempt networks. */

/* Whether that user name is locked out for that source, or the source for every name.
 * *out_until_utc_ms (may be NULL): until when. */
bool sip_lockout_holds(sip_memory_t *memory, const char *asker, const char *username,
                       const ipnet_t *source, int64_t now_utc_ms, int64_t *out_until_utc_ms);
/* A failure (a wrong password, an unknown user): may begin a lock-out, and then raises the board.
 * Each lasts twice as long as the one before, of which one is forgotten in each
 * LK_SIP_LOCKOUT_MAX_SECONDS without another. */
void sip_lockout_fail(sip_memory_t *memory, const char *asker, const char *username,
                      const ipnet_t *source, int64_t now_utc_ms);
/* A success: the pair's failures are forgotten, the source's are not. */
void sip_lockout_succeed(sip_memory_t *memory, const char *asker, const char *username,
                         const ipnet_t *source, int64_t now_utc_ms);

/* ---- Replay ---- */

typedef enum {
    REPLAY_FRESH,    /* remembered now, by this call and no other */
    REPLAY_REPEATED, /* it was there */
    REPLAY_FULL,     /* no room that may be taken: deny */
} replay_t;

/* Remembers a fact (the parts that make a response one: nonce, nc, cnonce) until a time, or longer.
 * To be asked only once the response has proved right, so that nobody fills it who has no password.
 */
replay_t sip_replay_remember(sip_memory_t *memory, const void *fact, size_t length,
                             int64_t now_utc_ms, int64_t until_utc_ms);
/* When a nonce that is not ours was first seen, which this may be. REPLAY_FULL as above. */
replay_t sip_nonce_first_seen(sip_memory_t *memory, const void *nonce, size_t length,
                              int64_t now_utc_ms, int64_t *out_first_utc_ms);
/* The same questions without remembering anything. */
bool sip_replay_holds(sip_memory_t *memory, const void *fact, size_t length, int64_t now_utc_ms);
/* False: not seen before; *out_first_utc_ms is now_utc_ms then. */
bool sip_nonce_seen(sip_memory_t *memory, const void *nonce, size_t length, int64_t now_utc_ms,
                    int64_t *out_first_utc_ms);

/* ---- Recent denials: a ring of fixed size, oldest overwritten ---- */

void sip_ring_add(sip_memory_t *memory, const decision_t *denial);
/* Copies up to `room` of them, latest first; returns how many. A slot that is being written is
 * passed over. */
size_t sip_ring_read(sip_memory_t *memory, decision_t *out, size_t room);

#endif
