/* Brings a database to the shape that this program knows. */
#ifndef LK_SERVICES_COMMON_MIGRATE_H
#define LK_SERVICES_COMMON_MIGRATE_H

#include "services/common/use.h"

typedef struct {
    int64_t version; /* 0: no database; whoever finds less than the last is the one who migrated */
    bool first;      /* nobody else has it open. Asked for (out is not NULL), others wait until the
                        caller says use_settle(use, true) */
} migrated_t;

/* Makes the database (0600) if it is not there and applies the missing migrations, each in one
 * transaction, under the gate: however many replicas start together, each migration runs once. The
 * directory must exist. For a process that keeps the database open until it closes `use` (use_take,
 * shared): PRAGMA quick_check before a migration, and else if no other one has it open already; one
 * that is at it is waited for (docs/adr/0019). A replica that starts neither needs the gate nor
 * holds up the writes of others, if no migration is missing.
 * STATUS_REFUSED if the database is newer than this program (the text says both versions);
 * STATUS_CORRUPT if the check finds damage, or a migration would leave rows without their parent;
 * STATUS_TIMEOUT if the gate is not to be had, or another's check not done, within 30 s;
 * STATUS_INVALID if a migration contains COMMIT or the like. out, which may be NULL: what was
 * found. */
status_t migrate(const store_spec_t *spec, const char *directory, int use, migrated_t *out,
                 err_t *err) MUST_CHECK;

/* Whether this program can work with a database of that version. name: its name in errors.
 * STATUS_REFUSED. */
status_t migrate_known(const store_spec_t *spec, int64_t version, const char *name, err_t *err)
    MUST_CHECK;

#endif
