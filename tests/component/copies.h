/* A sample store in a directory of its own, for the tests of its copies. */
#ifndef LK_TESTS_COMPONENT_COPIES_H
#define LK_TESTS_COMPONENT_COPIES_H

#include "services/common/backup.h"
#include "tests/component/sample_store.h"
#include "tests/support/scratch.h"

extern scratch_t scratch; /* has the store of sample_spec, migrated */
extern err_t err;         /* of the latest call */

int copies_set_up(void **state);
int copies_tear_down(void **state);

/* Fails the test, with err, unless it is STATUS_OK. */
void must(status_t status);
/* scratch_file, kept. */
void path_of(const char *name, char out[STORE_PATH_SIZE]);
store_t *open_store(const char *directory, store_role_t role);
/* A copy of that name in scratch. */
void back_up(const char *name, backup_facts_t *out);
/* How many files of scratch have that in their names; with `remove` they are gone then. */
size_t count_files(const char *part, bool remove);

#endif
