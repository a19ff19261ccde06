/* What else the identity provider says of them: taken by Name alone, and only what is asked for. */
#include "services/auth-provider/saml/claims.h"

#include "common/text.h"
#include "proto/packed.h"

#include <string.h>

enum { TEXTS_MAX = 64 /* attributes, or groups */ };

static const char groups_name[] = "groups";

/* A walk through all values of one name. */
typedef struct {
    const xmlNode *assertion, *statement, *attribute, *value;
    const char *name;
} values_t;

static const xmlNode *next_attribute(values_t *values)
{
    for (;;) {
        if (values->attribute != NULL)
            values->attribute = xml_next(values->attribute, SAML_NS_ASSERTION, "Attribute");
        while (values->attribute == NULL) {
            values->statement =
                values->statement == NULL
                    ? xml_first(values->assertion, SAML_NS_ASSERTION, "AttributeStatement")
                    : xml_next(values->statement, SAML_NS_ASSERTION, "AttributeStatement");
            if (values->statement == NULL)
                return NULL;
            values->attribute = xml_first(values->statement, SAML_NS_ASSERTION, "Attribute");
        }
        if (element_has(values->attribute, "Name", values->name))
            return values->attribute;
    }
}

/* The next value that is a text; the caller frees. NULL: no more. */
static char *next_value(values_t *values)
{
    for (;;) {
        if (values->value != NULL)
            values->value = xml_next(values->value, SAML_NS_ASSERTION, "AttributeValue");
        while (values->value == NULL) {
            if (next_attribute(values) == NULL)
                return NULL;
            values->value = xml_first(values->attribute, SAML_NS_ASSERTION, "AttributeValue");
        }
        char *text = element_text(values->value);
        if (text != NULL)
            return text;
    }
}

static bool fits(const char *text)
{
    long length = text_utf8_length(text, strlen(text));
    return length >= 0 && length <= PACKED_TEXT_MAX;
}

/* Texts to be packed; owned. */
typedef struct {
    size_t count;
    char *texts[TEXTS_MAX];
} texts_t;

static void free_texts(texts_t *texts)
{
    for (size_t i = 0; i < texts->count; i++)
        xml_release(&texts->texts[i]);
}

static msgpack_object string_of(const char *text, size_t length)
{
    return (msgpack_object){.type = MSGPACK_OBJECT_STR,
                            .via.str = {.ptr = text, .size = (uint32_t)length}};
}

static bool is_groups(const msgpack_object_str *name)
{
    return name->size == sizeof(groups_name) - 1 &&
           memcmp(name->ptr, groups_name, sizeof(groups_name) - 1) == 0;
}

/* All values; a group that is cut or left out might mean something else. */
static saml_reason_t take_groups(const xmlNode *assertion, const char *name, packed_t *out)
{
    AUTO(free_texts) texts_t texts = {0};
    msgpack_object items[TEXTS_MAX];
    values_t values = {.assertion = assertion, .name = name};
    for (char *text = next_value(&values); text != NULL; text = next_value(&values)) {
        if (texts.count == TEXTS_MAX || !fits(text)) {
            xml_release(&text);
            return SAML_VALUE_TOO_LONG;
        }
        items[texts.count] = string_of(text, strlen(text));
        texts.texts[texts.count++] = text;
    }
    msgpack_object all = {.type = MSGPACK_OBJECT_ARRAY,
                          .via.array = {.size = (uint32_t)texts.count, .ptr = items}};
    return packed_set(&all, out) == STATUS_OK ? SAML_NONE : SAML_VALUE_TOO_LONG;
}

/* The first value of each; what the assertion does not hold is left out. */
static saml_reason_t take_attributes(const xmlNode *assertion, const msgpack_object_map *map,
                                     packed_t *out)
{
    AUTO(free_texts) texts_t texts = {0};
    msgpack_object_kv members[TEXTS_MAX];
    for (uint32_t i = 0; i < map->size; i++) {
        char name[TEXT_SIZE(PACKED_TEXT_MAX)];
        const msgpack_object_kv *pair = &map->ptr[i];
        if (is_groups(&pair->key.via.str))
            continue;
        if (texts.count == TEXTS_MAX || text_copy(name, sizeof(name), pair->val.via.str.ptr,
                                                  pair->val.via.str.size) != STATUS_OK)
            return SAML_VALUE_TOO_LONG;
        values_t values = {.assertion = assertion, .name = name};
        char *text = next_value(&values);
        if (text == NULL)
            continue;
        members[texts.count].key = pair->key;
        members[texts.count].val = string_of(text, strlen(text));
        texts.texts[texts.count++] = text;
        if (!fits(text))
            return SAML_VALUE_TOO_LONG;
    }
    msgpack_object all = {.type = MSGPACK_OBJECT_MAP,
                          .via.map = {.size = (uint32_t)texts.count, .ptr = members}};
    return packed_set(&all, out) == STATUS_OK ? SAML_NONE : SAML_VALUE_TOO_LONG;
}

/* The name that groups have at the identity provider. */
static status_t groups_of(const msgpack_object_map *map, char *out, size_t size)
{
    for (uint32_t i = 0; i < map->size; i++)
        if (is_groups(&map->ptr[i].key.via.str))
            return text_copy(out, size, map->ptr[i].val.via.str.ptr, map->ptr[i].val.via.str.size);
    return text_copy(out, size, groups_name, sizeof(groups_name) - 1);
}

void claims_attributes(const claims_source_t *source, saml_verdict_t *verdict)
{
    static const char check[] = "attributes";
    const saml_expect_t *expect = source->expect;
    const packed_t *names = expect->attribute_names;
    msgpack_object_map map = {0};
    size_t used = 0;
    AUTO(msgpack_unpacked_destroy) msgpack_unpacked read;
    msgpack_unpacked_init(&read);
    if (names != NULL) { /* ours: it has passed packed_load */
        if (msgpack_unpack_next(&read, names->bytes, names->length, &used) !=
                MSGPACK_UNPACK_SUCCESS ||
            read.data.type != MSGPACK_OBJECT_MAP) {
            steps_add(verdict, check, SAML_VALUE_TOO_LONG, "idp_attribute_names can't be read");
            return;
        }
        map = read.data.via.map;
    }
    char name[TEXT_SIZE(PACKED_TEXT_MAX)];
    saml_reason_t reason = take_attributes(source->assertion, &map, &verdict->claims.attributes);
    packed_set_texts(NULL, 0, &verdict->claims.groups);
    if (reason == SAML_NONE && expect->groups)
        reason = groups_of(&map, name, sizeof(name)) == STATUS_OK
                     ? take_groups(source->assertion, name, &verdict->claims.groups)
                     : SAML_VALUE_TOO_LONG;
    steps_add(verdict, check, reason, NULL);
}
