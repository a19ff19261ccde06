/* Seal keys that are replaced while the worker runs (ADR 0028): notices a changed key file, seals
 * again in the background what an older key has sealed, and tells, by a lock that ends with the
 * process, which keys this process has. */
#ifndef LK_SERVICES_COMMON_RESEAL_H
#define LK_SERVICES_COMMON_RESEAL_H

#include "services/common/replylog.h"

/* A service's table of sealed values (a column named sealed or NAME_sealed). */
typedef struct {
    /* Numbers of statements. */
    size_t stale; /* SELECT row id, generation, realm, algorithm (those of its place: seal.h) and
                     sealed value, where the first four bytes of that are not $1; LIMIT $2 */
    size_t renew; /* UPDATE: $1 the value sealed anew, the rest by `bind` */
    /* Binds from $2 on. What else of the row is made of the seal's keys is made anew, of the value.
     */
    void (*bind)(query_t *renew, const keeper_t *keeper, const seal_place_t *place,
                 const uint8_t *value, size_t length);
} sealed_table_t;

/* The text of `stale`. An index on substr(column, 1, 4) must be there: two looks into it. */
#define SEALED_STALE(columns_, table_, column_)                                                    \
    "SELECT " columns_ " FROM " table_ " WHERE substr(" column_ ", 1, 4) < $1 OR substr(" column_  \
    ", 1, 4) > $1 LIMIT $2"

enum { SEALED_VALUE_MAX = 256 };

/* Binds $2 row id, $3 generation, $4 realm, $5 algorithm: for tables of digests. */
void reseal_bind_place(query_t *renew, const keeper_t *keeper, const seal_place_t *place,
                       const uint8_t *value, size_t length);

typedef struct {
    const keeper_t *keeper;
    seal_t *seal;
    const replylog_t *log;
    const sealed_table_t *tables;
    size_t table_count;
    int use;       /* of the store: use.h */
    uint32_t mark; /* that is locked */
    bool refused;  /* the key file, as it is now; told once */
} reseal_t;

/* Before the writer starts: locks the mark of the keys as the file has them now. keeper, seal, log,
 * tables and use are set and borrowed. STATUS_SYSTEM; errors of seal_refresh. */
status_t reseal_begin(reseal_t *reseal, err_t *err) MUST_CHECK;

/* The chore. The keys change in its is_due alone, and so never within a transaction: whatever a
 * worker writes once it has told of the new keys is sealed with the newest. */
chore_t reseal_chore(reseal_t *reseal);

/* Whether a process that works with the store has other keys than these. use: another process's, or
 * one that begins no reseal (use_take). */
bool reseal_others(int use, const seal_t *seal);

#endif
