/* Rows of Asterisk's realtime tables, and the conditions that it asks for them by. */
#ifndef LK_SERVICES_COMMON_SIP_ASTERISK_ROW_H
#define LK_SERVICES_COMMON_SIP_ASTERISK_ROW_H

#include "proto/sip.h"
#include "services/common/sip/document.h"

enum { ASTERISK_COLUMNS_MAX = 8, ASTERISK_CONDITIONS_MAX = 16 };

/* Names and values are borrowed. */
typedef struct {
    size_t count;
    struct {
        const char *name, *value;
    } columns[ASTERISK_COLUMNS_MAX];
} asterisk_row_t;

void asterisk_row_set(asterisk_row_t *row, const char *name, const char *value);
/* One line, "id=tr1&username=tr1", all of it percent-encoded: it is cut at the first line end. */
void asterisk_row_add(const asterisk_row_t *row, document_t *out);

typedef struct {
    char column[64];
    char wanted[SIP_USER_MAX + 1]; /* a value, or LIKE's pattern */
    bool like;
} asterisk_condition_t;

typedef struct {
    size_t count;
    asterisk_condition_t items[ASTERISK_CONDITIONS_MAX];
} asterisk_conditions_t;

/* From a form's fields, "column" or "column OPERATOR"; OPERATOR is = or LIKE. False: one that can't
 * be understood, for which no row may be given. */
bool asterisk_conditions_read(const packed_t *form, asterisk_conditions_t *out) MUST_CHECK;

/* The value that the column must be equal to; NULL: it is left open. */
const char *asterisk_conditions_exact(const asterisk_conditions_t *conditions, const char *column);

/* Whether the row meets them all. A column that it does not have meets none. */
bool asterisk_row_meets(const asterisk_row_t *row, const asterisk_conditions_t *conditions);

#endif
