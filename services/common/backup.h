/* Copies of a store, taken while it is used, and what is known of one.
 *
 * The source is read in one read transaction: others write on, at no cost but a WAL that can't
 * start over until the copy is done. Never checkpoints (docs/adr/0006). */
#ifndef LK_SERVICES_COMMON_BACKUP_H
#define LK_SERVICES_COMMON_BACKUP_H

#include "services/common/seal.h"
#include "services/common/store.h"

enum { BACKUP_TABLES_MAX = 32, BACKUP_NAME_SIZE = 64 };

/* What is in a copy. */
typedef struct {
    int64_t version; /* how many of the spec's migrations it has */
    size_t table_count;
    struct {
        char name[BACKUP_NAME_SIZE];
        int64_t rows;
    } tables[BACKUP_TABLES_MAX]; /* by name */
    size_t key_count;
    uint32_t keys[SEAL_KEYS_MAX]; /* ids that its values are sealed with, rising */
} backup_facts_t;

/* A query: the table and the name of every column of sealed values (seal.h). */
extern const char backup_sealed_columns[];

/* How much of it is copied, in pages; called several times. */
typedef void backup_progress_t(void *context, int64_t done, int64_t all);

/* Makes the file at target, 0600: the whole database in one file that needs no WAL. It comes to be
 * under that name only when it is complete, checked and on disk. The store may be in use or not.
 * progress may be NULL.
 * STATUS_CONFLICT: there is a file of that name already, or target + ".part", which is another
 * backup's, or was a killed one's; STATUS_UNKNOWN: there is no such store; STATUS_BUSY: it is being
 * restored; errors of backup_check, which then speak of the store itself; STATUS_FULL;
 * STATUS_SYSTEM. */
status_t backup_write(const store_spec_t *spec, const char *directory, const char *target,
                      backup_progress_t *progress, void *context, backup_facts_t *out, err_t *err)
    MUST_CHECK;

/* The same, written to a descriptor, from a file beside the store that has lost its name by then.
 */
status_t backup_send(const store_spec_t *spec, const char *directory, int to,
                     backup_progress_t *progress, void *context, backup_facts_t *out, err_t *err)
    MUST_CHECK;

/* Looks a copy over, whole: it is sound (PRAGMA integrity_check), no row lacks its parent, and a
 * program with this spec can work with it. seal_key_file: holds every key that its values are
 * sealed with; "": is not looked at. name: the copy's in errors.
 * STATUS_CORRUPT; STATUS_REFUSED: newer than this program, not this store's, or a key is missing;
 * seal_open_keys' errors. */
status_t backup_check(const store_spec_t *spec, const char *path, const char *name,
                      const char *seal_key_file, backup_facts_t *out, err_t *err) MUST_CHECK;

#endif
