/* A store for a test: made or brought up, and looked over. */
#ifndef LK_TESTS_SUPPORT_MIGRATED_H
#define LK_TESTS_SUPPORT_MIGRATED_H

#include "services/common/migrate.h"

/* migrate() by a process that does not keep the store open: unless another one does, it is looked
 * over. */
status_t migrate_once(const store_spec_t *spec, const char *directory, int64_t *out_version,
                      err_t *err) MUST_CHECK;

#endif
