"""POST /v1/sip/trunks/verify: a response checked by us. The digests are made here, by hashlib; jambonz's hook
is sent as jambonz sends it, byte for byte, and what it gets is compared byte for byte."""

import base64
import hashlib
import hmac
import itertools
import json
import secrets
import time

import pytest
from sip import HASHES, REALM, VERIFY, Caller, decided, denied, form_client
from suite import Client

VAGUE = "The user name or the password is another one."
NAMES = itertools.count(1)


@pytest.fixture(scope="module")
def server(suite):
    return form_client(suite)


@pytest.fixture
def caller(suite):
    return Caller(suite, f"verify-{next(NAMES)}")


# ---- digest ----

@pytest.mark.parametrize("qop", ["auth", None])
@pytest.mark.parametrize("session", [False, True])
@pytest.mark.parametrize("algorithm", HASHES)
def test_every_algorithm(server, caller, algorithm, session, qop):
    more = {"qop": qop, "nc": "00000001" if qop else None}
    if not qop and not session:
        more["cnonce"] = None
    assert decided(server, caller.body(algorithm=algorithm, session=session, **more)) == caller.passes()
    denied(server, caller.body("another", algorithm=algorithm, session=session, **more), "wrong_password")


@pytest.mark.parametrize("username", ["Jäsøn.Doe", "o'brien;x=1", "a@b.example", "☎" * 20])
def test_user_names_of_any_kind(suite, server, username):
    caller = Caller(suite, username)
    body = caller.body()
    assert decided(server, body) == caller.passes()
    body = caller.body()
    quoted = {name: value.replace("\\", "\\\\").replace('"', '\\"') for name, value in body.items()}
    header = ('Digest username="{username}", realm="{realm}", nonce="{nonce}", uri="{uri}", response="{response}", '
              'algorithm={algorithm}, cnonce="{cnonce}", qop={qop}, nc={nc}').format(**quoted)
    assert decided(server, {"method": "INVITE", "authorization": header}) == caller.passes()


def test_an_operator_sees_whose_it_is(suite, caller):
    answer = decided(suite.client, caller.body())
    assert answer.pop("organization_id") and answer == caller.passes()


def test_who_has_no_password_learns_nothing(suite, server, caller):
    first = denied(server, caller.body("another"), "wrong_password")
    unknown = Caller.__new__(Caller)
    unknown.username, unknown.password = "nobody-at-all", "x"
    second = denied(server, unknown.body(), "unknown_user")
    assert {**first, "reason": None} == {**second, "reason": None}
    assert first["message"] == VAGUE and first["subject"] is None and first["auth_id"] is None
    caller.trunk.change(caller.auth_id, enabled=False)
    assert denied(server, caller.body("another"), "wrong_password") == first
    denied(server, caller.body(), "disabled")


def test_another_organizations_user_is_unknown(suite, caller):
    other = form_client(suite, "--organization", "others")
    denied(other, caller.body(), "unknown_user")


def test_policy_all(suite, server):
    caller = Caller(suite, "verify-both", policy="all")
    caller.trunk.source("198.18.60.0/24")
    denied(server, caller.body(), "policy_needs_both")
    denied(server, caller.body(source_address="198.18.61.1"), "source_not_allowed")
    denied(server, caller.body(source_address="198.18.60"), "unknown_source")
    assert decided(server, caller.body(source_address="198.18.60.1")) == caller.passes()
    denied(server, {"source_address": "198.18.60.1"}, "password_needed")


def test_a_source_alone(suite, server, caller):
    method = caller.trunk.source("198.18.62.0/24")
    assert decided(server, {"source_address": "198.18.62.9"}) == caller.passes() | {"auth_id": method}
    denied(server, {"source_address": "198.18.63.9"}, "password_needed")
    denied(server, {}, "password_needed")
    # Who gives credentials is judged by these.
    denied(server, caller.body("another", source_address="198.18.62.9"), "wrong_password")
    denied(server, caller.body(source_address="198.18.62.9") | {"nonce": ""}, "password_needed")


def test_what_is_not_served(server, caller):
    denied(server, caller.body() | {"qop": "auth-int"}, "algorithm_not_available")
    denied(server, caller.body() | {"algorithm": "SHA-512/256"}, "algorithm_not_available")
    denied(server, caller.body(realm="elsewhere"), "realm_not_served")
    denied(server, {"method": "INVITE", "authorization": 'Digest username="x", userhash=true, response="x"'},
           "algorithm_not_available")


# ---- basic ----

def test_basic(server, caller):
    body = {"scheme": "basic", "username": caller.username, "password": "correct horse"}
    assert decided(server, body) == caller.passes()
    first = denied(server, body | {"password": "x"}, "wrong_password")
    second = denied(server, body | {"username": "nobody-at-all"}, "unknown_user")
    assert {**first, "reason": None} == {**second, "reason": None}


# ---- jambonz ----

HOOK_SECRET = "wh_secret_3WyfYiE3LxXaQwmTd1kV8f"


def hook_body(caller, **more):
    """What a registration hook is sent for a REGISTER: all of it, in jambonz's order."""
    fields = {"nonce": secrets.token_hex(8), "uri": "sip:sip.example.com", "method": "REGISTER", "qop": None, "nc": None,
              "cnonce": None} | more
    made = caller.body(**fields)
    text = ('{"source_address":"198.18.70.7","source_port":5060,"method":"REGISTER","headers":{"via":"SIP/2.0/UDP '
            '10.1.1.7:5060;branch=z9hG4bK4b43c2ff8.1;rport","from":"\\"Bob\\" <sip:%s@sip.example.com>;tag=9fxced76sl","to":'
            '"<sip:bob@sip.example.com>","call-id":"3848276298220188511@sip.example.com","cseq":"2 REGISTER","contact":'
            '"<sip:bob@10.1.1.7:5060>","expires":"3600","user-agent":"Yealink SIP-T46S 66.85.0.5","content-length":"0"},'
            '"expires":3600,"scheme":"digest","username":"%s","realm":"%s","nonce":"%s","uri":"%s","algorithm":"MD5",'
            '"response":"%s"') % (caller.username, caller.username, REALM, made["nonce"], made["uri"], made["response"])
    if made.get("qop"):
        text += ',"qop":"%s","nc":"%s","cnonce":"%s"' % (made["qop"], made["nc"], made["cnonce"])
    return (text + ',"opaque":"5ccc069c403ebaf9f0171e9517f40e41"}').encode()


def signature(secret, moment, body):
    """Jambonz-Signature, as its documentation has it: over the time, a dot, and the body's very bytes."""
    made = hmac.new(secret.encode(), b"%d." % moment + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={made}"


def is_signed(secret, header, body, now):
    """What whoever stands between jambonz and us can check; written from the description alone."""
    parts = dict(part.split("=", 1) for part in header.split(","))
    right = hmac.new(secret.encode(), parts["t"].encode() + b"." + body, "sha256").hexdigest()
    return hmac.compare_digest(right, parts["v1"]) and abs(now - int(parts["t"])) <= 300


def hook(suite, key, body):
    """As jambonz calls: Basic, its signature, no other header that matters. The answer's bytes."""
    moment = int(time.time())
    signed = signature(HOOK_SECRET, moment, body)
    assert is_signed(HOOK_SECRET, signed, body, moment)
    assert not is_signed(HOOK_SECRET, signed, body + b" ", moment) and not is_signed(HOOK_SECRET, signed, body, moment + 301)
    login = base64.b64encode(b"jambonz:" + key.encode()).decode()
    answer = Client(suite.port).call("POST", VERIFY, raw=body, headers={
        "Authorization": f"Basic {login}", "Content-Type": "application/json", "Jambonz-Signature": signed,
        "User-Agent": "jambonz"})
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("application/json")
    return answer.body


@pytest.mark.parametrize("more", [{}, {"qop": "auth", "nc": "00000001", "cnonce": "0a4f113b"}])
def test_jambonz(suite, server, caller, more):
    good = hook_body(caller, **more)
    assert hook(suite, server.key, good) == (
        '{"auth_id":"%s","message":null,"reason":null,"status":"ok","subject":"%s"}' % (caller.auth_id, caller.trunk.uuid)).encode()
    failed = b'{"auth_id":null,"message":"%s","reason":"%s","status":"fail","subject":null}'
    bad = hook_body(caller, **more).replace(b'"response":"', b'"response":"0')
    assert hook(suite, server.key, bad) == failed % (VAGUE.encode(), b"wrong_password")
    stranger = good.replace(caller.username.encode(), b"nobody-at-all")
    assert hook(suite, server.key, stranger) == failed % (VAGUE.encode(), b"unknown_user")


def test_jambonz_without_credentials(suite, server):
    """The first request of a call, where jambonz asks about it: no failure, and no yes."""
    body = b'{"source_address":"198.18.70.7","source_port":5060,"method":"INVITE","headers":{}}'
    answer = json.loads(hook(suite, server.key, body))
    assert (answer["status"], answer["reason"]) == ("fail", "password_needed")


def test_nothing_opens_where_the_body_is_wrong(suite, server, caller):
    """No decision, so no 200: jambonz takes it for a refusal."""
    for body in (b"[]", b'{"scheme":"digest"', b'{"scheme":"none"}', b'{"username":5}', b'{"nonce":"%s"}' % (b"x" * 300)):
        answer = server.call("POST", VERIFY, raw=body)
        assert 400 <= answer.status < 500, (body, answer.body)
    assert Client(suite.port).call("POST", VERIFY, caller.body()).status == 401


# ---- why ----

def test_explain(server, caller):
    body = caller.body()
    for _ in range(2):  # it uses nothing up
        told = decided(server, body, "/v1/sip/trunks/explain")
        assert told["status"] == "ok" and told["subject"] == caller.trunk.uuid
        assert [rule["decided"] for rule in told["rules"]] == [False] * (len(told["rules"]) - 1) + [True]
        assert all(rule["passed"] for rule in told["rules"])
    assert decided(server, body) == caller.passes()
    told = decided(server, caller.body("another"), "/v1/sip/trunks/explain")
    assert told["reason"] == "wrong_password" and told["rules"][-1]["rule"] == "password" and not told["rules"][-1]["passed"]


def test_a_nonce_of_ours(server, caller):
    given = decided(server, None, "/v1/sip/trunks/nonce")
    assert given["expires_in"] == 60
    body = caller.body(nonce=given["nonce"])
    assert decided(server, body) == caller.passes()
    forged = given["nonce"][:-1] + ("A" if given["nonce"][-1] != "A" else "B")
    denied(server, caller.body(nonce=forged), "stale_nonce")
