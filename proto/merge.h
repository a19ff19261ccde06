/* A change (RECORD_PART) laid over a record of the same schema. */
#ifndef LK_PROTO_MERGE_H
#define LK_PROTO_MERGE_H

#include "proto/field.h"

/* Copies what is given in `change`, null too, over *record; inside objects the same; members that
 * no row names are merged one by one. Lists are left as they are. STATUS_TOO_LARGE: such members
 * do not fit together; the record is then of no use. */
status_t merge_record(const schema_t *schema, void *record, const void *change) MUST_CHECK;

/* Whether a change gives anything at all: an object that gives nothing counts as nothing. */
bool merge_changes(const schema_t *schema, const void *change);

/* Whether two records say the same: the same fields are given, with the same values. Lists are not
 * looked at. */
bool merge_same(const schema_t *schema, const void *a, const void *b);

#endif
