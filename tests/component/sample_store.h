/* A small service's store, for the tests of services/common. */
#ifndef LK_TESTS_COMPONENT_SAMPLE_STORE_H
#define LK_TESTS_COMPONENT_SAMPLE_STORE_H

#include "services/common/store.h"

enum {
    PARENT_INSERT,  /* id, name, note, bytes, number */
    PARENT_GET,     /* id -> id, name, note, bytes, number */
    PARENT_LIST,    /* -> id */
    PARENT_RENAME,  /* name, id */
    PARENT_DELETE,  /* id -> name */
    CHILD_INSERT,   /* id, parent_id, place */
    WRITTEN_INSERT, /* writer, number, padding */
    WRITTEN_COUNT,  /* writer, first, last -> count of those in the range */
    DATA_VERSION,
    SAMPLE_STATEMENT_COUNT,
};

extern const store_spec_t sample_spec;

/* Runs PARENT_INSERT with this id as the name too. */
status_t sample_insert(store_t *store, const char *id, err_t *err) MUST_CHECK;
/* Whether PARENT_GET finds it; aborts on an error. */
bool sample_has(store_t *store, const char *id);

#endif
