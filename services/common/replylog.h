/* The reply log: a write that is sent again is answered again, and applied once.
 *
 * A row says which reply an idempotency key got, and is written in the transaction of the change
 * itself: either both are there or neither. Keys of clients live for 24 hours within their API key,
 * keys of gateways (who re-send what a dying worker left behind) for 10 minutes, of what is open to
 * strangers for one.
 *
 * Whether a key comes with the same request is told by a fingerprint: a keyed BLAKE2b, since a
 * plain hash of a request that holds a password would be an oracle for it. Its key is derived from
 * the seal key; with LK_DIGEST=off it is a file of its own beside the database, DATABASE.replay-key
 * (0600, made at the first start). When a seal key is replaced, the fingerprint key that was
 * derived from it is kept in the table reply_key, sealed with the new one, until no row needs it
 * (replylog_renew). A row whose key is not there any more matches nothing: its idempotency key
 * counts as used by another request until it expires.
 *
 * Replies of OPERATION_OPEN may hold a session's token: they are sealed (reply_seal.h) with a key
 * made of the fingerprint's. All others hold no secret, and are kept as they are.
 *
 * The tables: reply_log.sql and reply_key.sql, which a service links into its migrations. */
#ifndef LK_SERVICES_COMMON_REPLYLOG_H
#define LK_SERVICES_COMMON_REPLYLOG_H

#include "services/common/call.h"
#include "services/common/chores.h"
#include "services/common/job.h"

typedef struct replylog replylog_t;

/* service and seal (NULL: none) are borrowed until replylog_close; the directory must exist.
 * STATUS_SYSTEM, or keyfile_read's, if the key file can't be made or read. */
status_t replylog_open(const store_spec_t *service, const seal_t *seal, const char *directory,
                       replylog_t **out, err_t *err) MUST_CHECK;
/* NULL-safe; clears *log; wipes. Read-only in between: shared by threads. */
void replylog_close(replylog_t **log);

/* The service's store with the log's statements behind its own: connections that are given to the
 * functions below are opened with it. */
const store_spec_t *replylog_store(const replylog_t *log);

/* What is asked: operation, path, query and body; not the head, which says how. Not keyed yet:
 * memory only. */
void replylog_digest(const request_t *request, uint8_t out[JOB_DIGEST_SIZE]);

/* Looks whether the job's key has been answered. If so the call is ended: with the stored reply, or
 * with OUTCOME_KEY_REUSED if it was given to another request. Does nothing without a key. */
status_t replylog_find(const replylog_t *log, store_t *store, job_t *job, err_t *err) MUST_CHECK;

/* Keeps job->reply under the job's key, inside the caller's write transaction. Nothing without a
 * key. */
status_t replylog_keep(const replylog_t *log, store_t *writer, job_t *job, err_t *err) MUST_CHECK;

/* Removes up to `most` expired rows, inside the caller's write transaction. */
status_t replylog_purge(const replylog_t *log, store_t *writer, int64_t now_utc_ms, size_t most,
                        int64_t *out_removed, err_t *err) MUST_CHECK;

/* In a write transaction: keeps the keys of older seal keys, sealed with the newest one, so that
 * the seal may lose them. *out_count: how many were not kept so. only_look: writes nothing, and
 * needs no transaction. */
status_t replylog_renew(const replylog_t *log, store_t *store, bool only_look, size_t *out_count,
                        err_t *err) MUST_CHECK;

/* Its purge, as a chore: of the reply log's store, which is borrowed as long as the chore runs. */
chore_t replylog_chore(replylog_t *log);

#endif
