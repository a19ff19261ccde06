/* Verifies SAML Responses for tests: cases come as lines of JSON, verdicts go as lines of JSON.
 *
 *   {"name": "x", "response": "BASE64", "expect": {...}}     expect: saml_expect_t's members
 *   {"name": "x", "valid": false, "reason": "status", "detail": "...", ...}
 *
 * --sealed: after the first case the kernel ends it, by SIGSYS, if it opens a file or makes a
 * socket. --sealed --try shows that: it then makes one. */
#include "common/mem.h"
#include "services/auth-provider/saml/verify.h"
#include "tests/support/seal.h"

#include <jansson.h>
#include <msgpack.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CERTIFICATES_MAX = 8 };

/* What an expectation borrows. */
typedef struct {
    saml_certificate_t certificates[CERTIFICATES_MAX];
    uint8_t der[CERTIFICATES_MAX][CERTIFICATE_DER_MAX];
    packed_t names;
} held_t;

static void must(bool holds, const char *what)
{
    if (holds)
        return;
    (void)fprintf(stderr, "saml-judge: %s\n", what);
    exit(2);
}

static void pack_text(msgpack_packer *packer, const char *text)
{
    size_t length = strlen(text);
    msgpack_pack_str(packer, length);
    msgpack_pack_str_body(packer, text, length);
}

static const packed_t *names_of(json_t *map, packed_t *out)
{
    if (!json_is_object(map))
        return NULL;
    msgpack_sbuffer bytes;
    msgpack_packer packer;
    const char *key = NULL;
    json_t *value = NULL;
    msgpack_sbuffer_init(&bytes);
    msgpack_packer_init(&packer, &bytes, msgpack_sbuffer_write);
    msgpack_pack_map(&packer, json_object_size(map));
    json_object_foreach(map, key, value)
    {
        pack_text(&packer, key);
        pack_text(&packer, json_string_value(value));
    }
    must(bytes.size <= sizeof(out->bytes), "too many names");
    out->length = (uint32_t)bytes.size;
    memcpy(out->bytes, bytes.data, bytes.size);
    msgpack_sbuffer_destroy(&bytes);
    return out;
}

static void read_certificates(const json_t *list, saml_expect_t *expect, held_t *held)
{
    expect->certificates = held->certificates;
    expect->certificate_count = json_array_size(list);
    must(expect->certificate_count <= CERTIFICATES_MAX, "too many certificates");
    for (size_t i = 0; i < expect->certificate_count; i++) {
        const json_t *item = json_array_get(list, i), *der = json_object_get(item, "der");
        saml_certificate_t *to = &held->certificates[i];
        must(sodium_base642bin(held->der[i], sizeof(held->der[i]), json_string_value(der),
                               json_string_length(der), NULL, &to->length, NULL,
                               sodium_base64_VARIANT_ORIGINAL) == 0,
             "a certificate that is not base64");
        to->der = held->der[i];
        to->retired = json_is_true(json_object_get(item, "retired"));
    }
}

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static void read_expect(const json_t *from, saml_expect_t *out, held_t *held)
{
    const char *algorithm = text_of(from, "algorithm");
    *out = (saml_expect_t){
        .idp_entity_id = text_of(from, "idp_entity_id"),
        .sp_entity_id = text_of(from, "sp_entity_id"),
        .acs_url = text_of(from, "acs_url"),
        .fingerprint = text_of(from, "fingerprint"),
        .allow_sha1 = json_is_true(json_object_get(from, "allow_sha1")),
        .in_response_to = text_of(from, "in_response_to"),
        .attribute_names = names_of(json_object_get(from, "attribute_names"), &held->names),
        .groups = json_is_true(json_object_get(from, "groups")),
        .now_utc_ms = json_integer_value(json_object_get(from, "now")),
        .skew_ms = json_integer_value(json_object_get(from, "skew")),
    };
    must(algorithm != NULL && out->fingerprint != NULL && out->acs_url != NULL, "a poor case");
    while (out->fingerprint_algorithm < FINGERPRINT_ALGORITHMS &&
           strcmp(fingerprint_words[out->fingerprint_algorithm], algorithm) != 0)
        out->fingerprint_algorithm++;
    must(out->fingerprint_algorithm < FINGERPRINT_ALGORITHMS, "an unknown algorithm");
    read_certificates(json_object_get(from, "certificates"), out, held);
}

static json_t *text_json(const msgpack_object *object)
{
    must(object->type == MSGPACK_OBJECT_STR, "a value that is no text");
    return json_stringn(object->via.str.ptr, object->via.str.size);
}

/* A map of texts, or a list of them. */
static json_t *packed_json(const packed_t *packed)
{
    if (packed->length == 0)
        return json_null();
    msgpack_unpacked found;
    msgpack_unpacked_init(&found);
    size_t end = 0;
    must(msgpack_unpack_next(&found, packed->bytes, packed->length, &end) ==
                 MSGPACK_UNPACK_SUCCESS &&
             end == packed->length,
         "packed bytes that are not one value");
    const msgpack_object *object = &found.data;
    bool is_map = object->type == MSGPACK_OBJECT_MAP;
    must(is_map || object->type == MSGPACK_OBJECT_ARRAY, "a value of another shape");
    json_t *out = is_map ? json_object() : json_array();
    for (uint32_t i = 0; is_map && i < object->via.map.size; i++) {
        const msgpack_object_kv *pair = &object->via.map.ptr[i];
        must(json_object_setn_new_nocheck(out, pair->key.via.str.ptr, pair->key.via.str.size,
                                          text_json(&pair->val)) == 0,
             "memory");
    }
    for (uint32_t i = 0; !is_map && i < object->via.array.size; i++)
        must(json_array_append_new(out, text_json(&object->via.array.ptr[i])) == 0, "memory");
    msgpack_unpacked_destroy(&found);
    return out;
}

static const char *word(saml_reason_t reason)
{
    return reason == SAML_NONE ? NULL : saml_reason_words[reason];
}

static json_t *claims_json(const saml_claims_t *claims)
{
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:b, s:o, s:o}", "name_id", claims->name_id,
        "name_id_format", claims->name_id_format, "session_index", claims->session_index,
        "assertion_id", claims->assertion_id, "in_response_to", claims->in_response_to,
        "authn_instant", (json_int_t)claims->authn_instant_utc_ms, "session_until",
        (json_int_t)claims->session_until_utc_ms, "replay_until",
        (json_int_t)claims->replay_until_utc_ms, "by_fingerprint", (int)claims->by_fingerprint,
        "attributes", packed_json(&claims->attributes), "groups", packed_json(&claims->groups));
}

static void judge(const json_t *one)
{
    static saml_verdict_t verdict;
    static held_t held;
    saml_expect_t expect;
    const json_t *response = json_object_get(one, "response");
    read_expect(json_object_get(one, "expect"), &expect, &held);
    size_t length = json_string_length(response);
    /* exactly as much, so that a sanitizer sees a read behind the end */
    char *exact = mem_zalloc(length);
    memcpy(exact, json_string_value(response), length);
    saml_verify(&expect, exact, length, &verdict);
    json_t *failed = json_array();
    for (size_t i = 0; i < verdict.step_count; i++)
        if (verdict.steps[i].reason != SAML_NONE)
            (void)json_array_append_new(failed, json_string(word(verdict.steps[i].reason)));
    bool valid = verdict.reason == SAML_NONE;
    json_t *out = json_pack("{s:s?, s:b, s:s?, s:s, s:I, s:o, s:o}", "name", text_of(one, "name"),
                            "valid", (int)valid, "reason", word(verdict.reason), "detail",
                            verdict.detail, "steps", (json_int_t)verdict.step_count, "failed",
                            failed, "claims", valid ? claims_json(&verdict.claims) : json_null());
    must(out != NULL && json_dumpf(out, stdout, JSON_COMPACT) == 0, "a verdict that is no text");
    (void)putchar('\n');
    (void)fflush(stdout);
    json_decref(out);
    saml_verdict_clear(&verdict);
    mem_free(exact);
}

int main(int argc, char *argv[])
{
    bool sealed = argc > 1 && strcmp(argv[1], "--sealed") == 0;
    bool try = argc > 2 && strcmp(argv[2], "--try") == 0;
    char *line = NULL;
    size_t size = 0, count = 0;
    must(sodium_init() >= 0, "no libsodium");
    for (ssize_t got = 0; (got = getline(&line, &size, stdin)) > 0; count++) {
        json_error_t wrong;
        json_t *one = json_loadb(line, (size_t)got, JSON_ALLOW_NUL, &wrong);
        must(one != NULL, wrong.text);
        judge(one);
        json_decref(one);
        if (sealed && count == 0)
            seal();
        if (try && socket(AF_INET, SOCK_STREAM, 0) >= 0)
            return 3;
    }
    free(line);
    if (sealed)
        _exit(0); /* a sanitizer that looks for leaks opens files */
    return 0;
}
