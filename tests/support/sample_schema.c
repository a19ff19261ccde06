#include "tests/support/sample_schema.h"

#include "proto/checks.h"

static const char *const kinds[] = {"a", "b", "longer", NULL};

static void sample_rule(const void *record, record_mode_t mode, faults_t *faults)
{
    (void)mode;
    const sample_t *sample = record;
    if (field_set(&sample->fields, SAMPLE_KIND) && sample->kind == 1 &&
        field_set(&sample->fields, SAMPLE_SIZE) && sample->size % 2 != 0)
        faults_add(faults, FAULT_RULE, FAULT_IN_BODY, "/size", "must be even for kind %s",
                   kinds[1]);
}

/* clang-format off */
static const field_t inner_rows[] = {
    [INNER_REALM] = FIELD_TEXT_ROW(sample_inner_t, realm, 1, 8, .flags = FIELD_REQUIRED, .doc = "Realm."),
    [INNER_LEVEL] = FIELD_NUMBER_ROW(sample_inner_t, level, -5, 5, .doc = "Level."),
};

static const field_t sample_rows[] = {
    [SAMPLE_AT] = FIELD_TIME_ROW(sample_t, at, .flags = FIELD_NULLABLE, .doc = "When."),
    [SAMPLE_INNER] = FIELD_OBJECT_ROW(sample_t, inner, sample_inner_t, &sample_inner_schema,
        .flags = FIELD_NULLABLE, .doc = "Inner."),
    [SAMPLE_ITEMS] = FIELD_LIST_ROW(sample_t, items, &sample_inner_schema, .flags = FIELD_READ_ONLY,
        .doc = "Items."),
    [SAMPLE_KIND] = FIELD_CHOICE_ROW(sample_t, kind, kinds, .dflt_text = "longer", .doc = "Kind."),
    [SAMPLE_MADE] = FIELD_DATE_ROW(sample_t, made, .flags = FIELD_READ_ONLY, .doc = "Made."),
    [SAMPLE_NAME] = FIELD_TEXT_ROW(sample_t, name, 2, 4, .flags = FIELD_REQUIRED | FIELD_FIXED,
        .doc = "Name."),
    [SAMPLE_NOTE] = FIELD_TEXT_ROW(sample_t, note, 0, 8, .check = check_printable,
        .dflt_text = "none", .doc = "Note."),
    [SAMPLE_ON] = FIELD_SWITCH_ROW(sample_t, on, .flags = FIELD_DEFAULT, .dflt_number = 1, .doc = "On."),
    [SAMPLE_SIZE] = FIELD_NUMBER_ROW(sample_t, size, 1, 10, .flags = FIELD_DEFAULT, .dflt_number = 3,
        .doc = "Size."),
    [SAMPLE_TOKEN] = FIELD_TEXT_ROW(sample_t, token, 4, 16,
        .flags = FIELD_SECRET | FIELD_BYTES | FIELD_NULLABLE, .doc = "Token."),
    [SAMPLE_UNSEEN] = FIELD_TEXT_ROW(sample_t, unseen, 1, 8, .flags = FIELD_WRITE_ONLY | FIELD_BYTES,
        .doc = "Unseen."),
};
/* clang-format on */

const schema_t sample_inner_schema = SCHEMA("Inner", sample_inner_t, inner_rows, .rule = NULL);
const schema_t sample_schema = SCHEMA("Sample", sample_t, sample_rows, .rule = sample_rule);
