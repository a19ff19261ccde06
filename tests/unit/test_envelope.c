#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/text.h"
#include "proto/envelope.h"
#include "tests/support/packing.h"

#include <string.h>

#define ORGANIZATION "018f0000-0000-7000-8000-000000000001"
#define KEY          "018f0000-0000-7000-8000-000000000002"

/* Made with another implementation of msgpack (Python's). */
static const char golden_request[] =
    "9b01a57265712d31a66964656d2d31c3aa7472756e6b2d61757468aa74727"
    "56e6b5f7265616494d92430313866303030"
    "302d303030302d373030302d383030302d303030303030303030303031d92"
    "430313866303030302d303030302d373030"
    "302d383030302d303030303030303030303032a472656164c281a47575696"
    "4d92430313866303030302d303030302d37"
    "3030302d383030302d303030303030303030303031c0c081a46e616d65a178";
static const char golden_reply[] =
    "9d01a57265712d31a7494e56414c4944c2a34e6f2ec09294a87265717569726564a4626f6479a52f6e616d65ab6973"
    "20"
    "726571756972656494a572616e6765a57175657279a56c696d6974b36d757374206265206174206d6f7374203235"
    "30c093020307ac756e6b6e6f776e5f7573657200930712cf000001900000000091"
    "92a84c6f636174696f6ea22f61";

static const request_t sample_request = {
    .request_id = "req-1",
    .idempotency_key = "idem-1",
    .client_key = true,
    .service = "trunk-auth",
    .operation = "trunk_read",
    .principal = {.organization_id = ORGANIZATION, .key_id = KEY, .scope = SCOPE_READ},
};

static void pack_text(msgpack_packer *out, const char *text)
{
    msgpack_pack_str_with_body(out, text, strlen(text));
}

static void a_request_has_its_bytes(void **state)
{
    (void)state;
    packing_t packed;
    packing_init(&packed);
    envelope_write_request(&sample_request, &packed.packer);
    msgpack_pack_map(&packed.packer, 1);
    pack_text(&packed.packer, "uuid");
    pack_text(&packed.packer, ORGANIZATION);
    msgpack_pack_nil(&packed.packer);
    msgpack_pack_nil(&packed.packer);
    msgpack_pack_map(&packed.packer, 1);
    pack_text(&packed.packer, "name");
    pack_text(&packed.packer, "x");
    assert_string_equal(packing_digits(&packed), golden_request);
    packing_free(&packed);
}

static void a_request_is_read(void **state)
{
    (void)state;
    packing_t packed;
    request_t request;
    packing_hex(&packed, golden_request);
    assert_int_equal(envelope_read_request(packing_decode(&packed), &request), STATUS_OK);
    assert_string_equal(request.request_id, "req-1");
    assert_string_equal(request.idempotency_key, "idem-1");
    assert_true(request.client_key);
    assert_string_equal(request.service, "trunk-auth");
    assert_string_equal(request.operation, "trunk_read");
    assert_string_equal(request.principal.organization_id, ORGANIZATION);
    assert_string_equal(request.principal.key_id, KEY);
    assert_int_equal(request.principal.scope, SCOPE_READ);
    assert_false(request.principal.is_operator);
    assert_string_equal(packing_text(&request.path), "{'uuid':'" ORGANIZATION "'}");
    assert_int_equal(request.query.type, MSGPACK_OBJECT_NIL);
    assert_string_equal(packing_text(&request.body), "{'name':'x'}");
    packing_free(&packed);
}

static void a_reply_has_its_bytes(void **state)
{
    (void)state;
    packing_t packed;
    reply_t reply;
    reply_init(&reply, "req-1", OUTCOME_INVALID);
    text_cut(reply.message, sizeof(reply.message), "No.");
    reply.page_number = 2;
    reply.page_size = 3;
    reply.total = 7;
    reply.reason = REASON_UNKNOWN_USER;
    reply.fresh = (freshness_t){.board = 7, .version = 18, .until_utc_ms = 1717986918400};
    msgpack_object texts[2] = {{.type = MSGPACK_OBJECT_STR, .via.str = {8, "Location"}},
                               {.type = MSGPACK_OBJECT_STR, .via.str = {2, "/a"}}};
    msgpack_object pair = {.type = MSGPACK_OBJECT_ARRAY, .via.array = {2, texts}};
    reply.headers = (msgpack_object){.type = MSGPACK_OBJECT_ARRAY, .via.array = {1, &pair}};
    faults_add(&reply.faults, FAULT_REQUIRED, FAULT_IN_BODY, "/name", "is required");
    faults_add(&reply.faults, FAULT_RANGE, FAULT_IN_QUERY, "limit", "must be at most %d", 250);
    packing_init(&packed);
    envelope_write_reply(&reply, NULL, 0, &packed.packer);
    assert_string_equal(packing_digits(&packed), golden_reply);
    packing_free(&packed);
    packing_init(&packed);
    reply_init(&reply, "r", OUTCOME_OK);
    envelope_write_reply(&reply, "\x81\xa1\x61\x01", 4, &packed.packer);
    assert_string_equal(packing_shown(&packed),
                        "[1,'r','OK',false,'',{'a':1},[],null,null,null,0,null,null]");
    packing_free(&packed);
    packing_init(&packed);
    reply.media = MEDIA_XML;
    envelope_write_reply(&reply, "\xa4<a/>", 5, &packed.packer);
    assert_string_equal(packing_shown(&packed),
                        "[1,'r','OK',false,'','<a/>',[],null,null,null,2,null,null]");
    packing_free(&packed);
}

static void a_reply_is_read(void **state)
{
    (void)state;
    packing_t packed;
    reply_t reply;
    packing_hex(&packed, golden_reply);
    assert_int_equal(envelope_read_reply(packing_decode(&packed), &reply), STATUS_OK);
    assert_string_equal(reply.request_id, "req-1");
    assert_int_equal(reply.outcome, OUTCOME_INVALID);
    assert_false(reply.replayed);
    assert_string_equal(reply.message, "No.");
    assert_int_equal(reply.body.type, MSGPACK_OBJECT_NIL);
    assert_int_equal(reply.next_offset, -1);
    assert_int_equal(reply.page_number, 2);
    assert_int_equal(reply.page_size, 3);
    assert_int_equal(reply.total, 7);
    assert_int_equal(reply.reason, REASON_UNKNOWN_USER);
    assert_int_equal(reply.media, MEDIA_JSON);
    assert_int_equal(reply.fresh.board, 7);
    assert_int_equal(reply.fresh.version, 18);
    assert_int_equal(reply.fresh.until_utc_ms, 1717986918400);
    assert_int_equal(reply.faults.count, 2);
    assert_int_equal(reply.faults.items[0].code, FAULT_REQUIRED);
    assert_string_equal(reply.faults.items[0].where, "/name");
    assert_int_equal(reply.faults.items[1].place, FAULT_IN_QUERY);
    assert_string_equal(reply.faults.items[1].message, "must be at most 250");
    assert_int_equal(reply.headers.via.array.size, 1);
    packing_free(&packed);
}

/* What only a gateway finds out, such as a missing API key, no worker may say. */
static void the_gateways_outcomes_are_its_own(void **state)
{
    (void)state;
    for (int i = OUTCOME_OF_WORKERS; i < OUTCOME_COUNT; i++) {
        reply_t reply, back;
        packing_t packed;
        reply_init(&reply, "r", (outcome_t)i);
        packing_init(&packed);
        envelope_write_reply(&reply, NULL, 0, &packed.packer);
        assert_int_equal(envelope_read_reply(packing_decode(&packed), &back), STATUS_INVALID);
        packing_free(&packed);
    }
}

static void every_word_survives(void **state)
{
    (void)state;
    for (int i = 0; i < OUTCOME_OF_WORKERS; i++) {
        reply_t reply, back;
        packing_t packed;
        reply_init(&reply, "r", (outcome_t)i);
        faults_add(&reply.faults, (fault_code_t)(i % (FAULT_RULE + 1)),
                   (fault_place_t)(i % (FAULT_IN_PATH + 1)), "w", "m");
        reply.next_offset = i;
        packing_init(&packed);
        envelope_write_reply(&reply, NULL, 0, &packed.packer);
        assert_int_equal(envelope_read_reply(packing_decode(&packed), &back), STATUS_OK);
        assert_int_equal(back.outcome, i);
        assert_int_equal(back.faults.items[0].code, reply.faults.items[0].code);
        assert_int_equal(back.faults.items[0].place, reply.faults.items[0].place);
        assert_int_equal(back.next_offset, i);
        packing_free(&packed);
        for (int k = 0; k < i; k++)
            assert_string_not_equal(outcome_name((outcome_t)i), outcome_name((outcome_t)k));
    }
    for (int i = SCOPE_ADMIN; i <= SCOPE_SIP; i++) {
        scope_t scope = SCOPE_ADMIN;
        assert_int_equal(scope_parse(scope_name((scope_t)i), &scope), STATUS_OK);
        assert_int_equal(scope, i);
    }
    scope_t scope = SCOPE_SIP;
    assert_int_equal(scope_parse("Admin", &scope), STATUS_INVALID);
    assert_int_equal(scope_parse("", &scope), STATUS_INVALID);
    assert_int_equal(scope_parse(scope_name(SCOPE_NOBODY), &scope), STATUS_INVALID);
    assert_int_equal(scope, SCOPE_SIP);
}

static void every_element_of_a_request_is_checked(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "null",
        "{}",
        "[]",
        "[2,'r',null,false,'s','o',['o','k','sip',false],null,null,null,null]",
        "['1','r',null,false,'s','o',['o','k','sip',false],null,null,null,null]",
        "[-1,'r',null,false,'s','o',['o','k','sip',false],null,null,null,null]",
        "[1,5,null,false,'s','o',['o','k','sip',false],null,null,null,null]",
        "[1,null,null,false,'s','o',['o','k','sip',false],null,null,null,null]",
        "[1,'r\\u0000',null,false,'s','o',['o','k','sip',false],null,null,null,null]",
        "[1,'r',5,false,'s','o',['o','k','sip',false],null,null,null,null]",
        "[1,'r',null,0,'s','o',['o','k','sip',false],null,null,null,null]",
        "[1,'r',null,false,null,'o',['o','k','sip',false],null,null,null,null]",
        ("[1,'r',null,false,'thirty-two characters of a "
         "name.','o',['','','sip',false],{},{},{},null]"),
        "[1,'r',null,false,'s',[],['o','k','sip',false],null,null,null,null]",
        "[1,'r',null,false,'s','o',5,null,null,null,null]",
        "[1,'r',null,false,'s','o',[],null,null,null,null]",
        "[1,'r',null,false,'s','o',['o','k','sip'],null,null,null,null]",
        "[1,'r',null,false,'s','o',['o','k','sip',false,1],null,null,null,null]",
        "[1,'r',null,false,'s','o',[1,'k','sip',false],null,null,null,null]",
        "[1,'r',null,false,'s','o',['o',{},'sip',false],null,null,null,null]",
        "[1,'r',null,false,'s','o',['o','k','SIP',false],null,null,null,null]",
        "[1,'r',null,false,'s','o',['o','k',0,false],null,null,null,null]",
        "[1,'r',null,false,'s','o',['o','k','sip','false'],null,null,null,null]",
        "[1,'r',null,false,'s','o',['o','k','sip',false],[],null,null,null]",
        "[1,'r',null,false,'s','o',['o','k','sip',false],null,'a',null,null]",
        "[1,'r',null,false,'s','o',['o','k','nobody',false],null,null,null,null]",
        "[1,'r',null,false,'s','o',['o','k','sip',false],null,null,5,null]",
        "[1,'r',null,false,'s','o',['o','k','sip',false],null,null,[],null]",
        "[1,'r',null,false,'s','o',['o','k','sip',false],null,null,null,'x']",
        "[1,'r',null,false,'s','o',['o','k','sip',false],null,null,null]",
        "[1,'r',null,false,'s','o',['o','k','sip',false],null,null,null,null,null]",
    };
    static const char good[] = "[1,'r',null,false,'s','o',['o','k','sip',false],null,{},null,null]";
    packing_t packed;
    request_t request;
    assert_int_equal(envelope_read_request(packing_json(&packed, good), &request), STATUS_OK);
    assert_string_equal(request.idempotency_key, "");
    packing_free(&packed);
    static const char nobody[] = "[1,'r',null,false,'s','o',null,null,null,{'Cookie':'a=b'},null]";
    assert_int_equal(envelope_read_request(packing_json(&packed, nobody), &request), STATUS_OK);
    assert_int_equal(request.principal.scope, SCOPE_NOBODY);
    assert_string_equal(request.principal.key_id, "");
    assert_string_equal(request.principal.organization_id, "");
    assert_false(request.principal.is_operator);
    assert_int_equal(request.head.type, MSGPACK_OBJECT_MAP);
    packing_free(&packed);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (envelope_read_request(packing_json(&packed, rows[i]), &request) != STATUS_INVALID)
            fail_msg("%s", rows[i]);
        packing_free(&packed);
    }
}

static void every_element_of_a_reply_is_checked(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "{}",
        "[1,'r','OK',false,'',null,[],null,null,null,0]",
        "[1,'r','OK',false,'',null,[],null,null,null,0,null,null,null]",
        "[0,'r','OK',false,'',null,[],null,null,null,0,null,null]",
        "[1,1,'OK',false,'',null,[],null,null,null,0,null,null]",
        "[1,'r',0,false,'',null,[],null,null,null,0,null,null]",
        "[1,'r','ok',false,'',null,[],null,null,null,0,null,null]",
        "[1,'r','A_WORD_LONGER_THAN_ANY_OUTCOME',false,'',null,[],null,null,null,0,null,null]",
        "[1,'r','OK',null,'',null,[],null,null,null,0,null,null]",
        "[1,'r','OK',false,null,null,[],null,null,null,0,null,null]",
        "[1,'r','OK',false,'',5,[],null,null,null,0,null,null]",
        "[1,'r','OK',false,'','x',[],null,null,null,0,null,null]",
        "[1,'r','OK',false,'',null,null,null,null,null,0,null,null]",
        "[1,'r','OK',false,'',null,{},null,null,null,0,null,null]",
        "[1,'r','OK',false,'',null,[null],null,null,null,0,null,null]",
        "[1,'r','OK',false,'',null,[['rule','body','/x']],null,null,null,0,null,null]",
        "[1,'r','OK',false,'',null,[['rules','body','/x','m']],null,null,null,0,null,null]",
        "[1,'r','OK',false,'',null,[['rule','head','/x','m']],null,null,null,0,null,null]",
        "[1,'r','OK',false,'',null,[['rule','body',1,'m']],null,null,null,0,null,null]",
        "[1,'r','OK',false,'',null,[['rule','body','/x',null]],null,null,null,0,null,null]",
        "[1,'r','OK',false,'',null,[],-1,null,null,0,null,null]",
        "[1,'r','OK',false,'',null,[],'1',null,null,0,null,null]",
        "[1,'r','OK',false,'',null,[],null,1.5,null,0,null,null]",
        "[1,'r','OK',false,'',null,[],null,7,null,0,null,null]",
        "[1,'r','OK',false,'',null,[],null,[1,20],null,0,null,null]",
        "[1,'r','OK',false,'',null,[],null,[0,20,7],null,0,null,null]",
        "[1,'r','OK',false,'',null,[],null,[1,0,7],null,0,null,null]",
        "[1,'r','OK',false,'',null,[],null,[1,20,-1],null,0,null,null]",
        "[1,'r','OK',false,'',null,[],null,[1,20,null],null,0,null,null]",
        "[1,'r','OK',false,'',null,[],null,null,'no_such_reason',0,null,null]",
        "[1,'r','OK',false,'',null,[],null,null,0,0,null,null]",
        "[1,'r','OK',false,'',null,[],null,null,'none',0,null,null]",
        "[1,'r','OK',false,'',null,[],null,null,null,null,null,null]",
        "[1,'r','OK',false,'',null,[],null,null,null,'x',null,null]",
        "[1,'r','OK',false,'',null,[],null,null,null,-1,null,null]",
        "[1,'r','OK',false,'','x',[],null,null,null,6,null,null]",
        "[1,'r','OK',false,'','x',[],null,null,null,0,null,null]",
        "[1,'r','OK',false,'',null,[],null,null,null,1,null,null]",
        "[1,'r','OK',false,'',{},[],null,null,null,1,null,null]",
        "[1,'r','OK',false,'',[],[],null,null,null,2,null,null]",
        "[1,'r','OK',false,'',null,[],null,null,null,0,5,null]",
        "[1,'r','OK',false,'',null,[],null,null,null,0,[],null]",
        "[1,'r','OK',false,'',null,[],null,null,null,0,[7,1],null]",
        "[1,'r','OK',false,'',null,[],null,null,null,0,[7,1,0],null]",
        "[1,'r','OK',false,'',null,[],null,null,null,0,[7,1,-1],null]",
        "[1,'r','OK',false,'',null,[],null,null,null,0,[7,-1,1],null]",
        "[1,'r','OK',false,'',null,[],null,null,null,0,['7',1,1],null]",
        "[1,'r','OK',false,'',null,[],null,null,null,0,[7,1,1,1],null]",
        "[1,'r','OK',false,'',null,[],null,null,null,0,[7,1,null],null]",
        "[1,'r','OK',false,'',null,[],null,null,null,0,null,[]]",
        "[1,'r','OK',false,'',null,[],null,null,null,0,null,{}]",
        "[1,'r','OK',false,'',null,[],null,null,null,0,null,['Location']]",
        "[1,'r','OK',false,'',null,[],null,null,null,0,null,[['Location']]]",
        "[1,'r','OK',false,'',null,[],null,null,null,0,null,[['Location','a','b']]]",
        "[1,'r','OK',false,'',null,[],null,null,null,0,null,[['Location','']]]",
        "[1,'r','OK',false,'',null,[],null,null,null,0,null,[['Location',5]]]",
        "[1,'r','OK',false,'',null,[],null,null,null,0,null,[[5,'/x']]]",
        "[1,'r','OK',false,'',null,[],null,null,null,0,null,[['location','/x']]]",
        "[1,'r','OK',false,'',null,[],null,null,null,0,null,[['Content-Length','0']]]",
        "[1,'r','OK',false,'',null,[],null,null,null,0,null,[['Location','/x\\r\\nA: b']]]",
        "[1,'r','OK',false,'',null,[],null,null,null,0,null,[['Location','\\u007f']]]",
        ("[1,'r','OK',false,'',null,[],null,null,null,0,null,[['Location','a'],['Location','a'],"
         "['Location','a'],['Location','a'],['Location','a']]]"),
    };
    static const char *const good[] = {
        /* as kept before there were headers */
        "[1,'r','OK',false,'',null,[],null,null,null,0,null]",
        "[1,'r','ELSEWHERE',false,'',null,[],null,null,null,0,null,[['Location','/x']]]",
        "[1,'r','DENIED',false,'','<p>',[],null,null,null,4,null,[['Set-Cookie','a'],['Set-Cookie',"
        "'b'],['Set-Cookie','c'],['Location','d']]]",
        "[1,'r','OK',false,'',null,[],null,null,null,0,null,null]",
        "[1,'r','OK',true,'x',[{'a':1}],[['rule','path','x','m']],0,[1,20,9223372036854775807],"
        "null,"
        "0,null,null]",
        "[1,'r','OK',false,'','',[],null,null,null,3,[0,0,1],null]",
        "[1,'r','FORBIDDEN',false,'',null,[],null,null,'no_method',0,[7,9223372036854775807,1],"
        "null]",
    };
    packing_t packed;
    reply_t reply;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_int_equal(envelope_read_reply(packing_json(&packed, good[i]), &reply), STATUS_OK);
        packing_free(&packed);
    }
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (envelope_read_reply(packing_json(&packed, rows[i]), &reply) != STATUS_INVALID)
            fail_msg("%s", rows[i]);
        packing_free(&packed);
    }
}

static void too_many_faults_are_refused(void **state)
{
    (void)state;
    for (uint32_t count = FAULTS_MAX; count <= FAULTS_MAX + 1; count++) {
        packing_t packed;
        packing_init(&packed);
        msgpack_pack_array(&packed.packer, 13);
        msgpack_pack_int(&packed.packer, 1);
        pack_text(&packed.packer, "r");
        pack_text(&packed.packer, "INVALID");
        msgpack_pack_false(&packed.packer);
        pack_text(&packed.packer, "");
        msgpack_pack_nil(&packed.packer);
        msgpack_pack_array(&packed.packer, count);
        for (uint32_t i = 0; i < count; i++) {
            msgpack_pack_array(&packed.packer, 4);
            pack_text(&packed.packer, "rule");
            pack_text(&packed.packer, "body");
            pack_text(&packed.packer, "/x");
            pack_text(&packed.packer, "m");
        }
        msgpack_pack_nil(&packed.packer);
        msgpack_pack_nil(&packed.packer);
        msgpack_pack_nil(&packed.packer);
        msgpack_pack_int(&packed.packer, MEDIA_JSON);
        msgpack_pack_nil(&packed.packer);
        msgpack_pack_nil(&packed.packer);
        reply_t reply;
        assert_int_equal(envelope_read_reply(packing_decode(&packed), &reply),
                         count <= FAULTS_MAX ? STATUS_OK : STATUS_INVALID);
        packing_free(&packed);
    }
}

static void only_scanned_bytes_are_decoded(void **state)
{
    (void)state;
    static const char bomb[] = {(char)0xdd, (char)0xff, (char)0xff, (char)0xff, (char)0xff};
    msgpack_unpacked decoded;
    assert_int_equal(envelope_decode(bomb, sizeof(bomb), &decoded), STATUS_INVALID);
    msgpack_unpacked_destroy(&decoded);
    assert_int_equal(envelope_decode("", 0, &decoded), STATUS_INVALID);
    msgpack_unpacked_destroy(&decoded);
    assert_int_equal(envelope_decode("\xc0", 1, &decoded), STATUS_OK);
    msgpack_unpacked_destroy(&decoded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_has_its_bytes),
        cmocka_unit_test(a_request_is_read),
        cmocka_unit_test(a_reply_has_its_bytes),
        cmocka_unit_test(a_reply_is_read),
        cmocka_unit_test(every_word_survives),
        cmocka_unit_test(the_gateways_outcomes_are_its_own),
        cmocka_unit_test(every_element_of_a_request_is_checked),
        cmocka_unit_test(every_element_of_a_reply_is_checked),
        cmocka_unit_test(too_many_faults_are_refused),
        cmocka_unit_test(only_scanned_bytes_are_decoded),
    };
    return cmocka_run_group_tests_name("envelope", tests, NULL, NULL);
}
