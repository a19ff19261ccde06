"""docs/api/README.md: the rules for every route."""

import json

import pytest
from suite import ROOT, Client, every_service
from trunk_dialect import check_failure, check_success, new_ip

SERVICES = every_service()
TRUNKS = "/voip/trunk"


def check_v2_failure(answer, status):
    assert answer.status == status, answer.body
    assert answer.headers["Content-Type"].startswith("application/json")
    body = answer.json
    assert list(body) == ["errors"] and body["errors"]
    for error in body["errors"]:
        assert {"code", "title", "detail"} <= set(error)


# ---- bodies ----

@pytest.mark.parametrize("raw", [
    b"{", b"[]", b"null", b'"text"', b"5", b"{}x", b'{"name":"a","name":"b"}', b'{"name":"a\\u0000b"}',
    b'{"name":"a\x00b"}', b'{"name":"\xff\xfe"}', b'{"name":"\xc0\x80"}', b'{"name":"\\ud800"}',
    b"{'name':'a'}", b'{"name":NaN}', b'{"name":"a",}', b"\xef\xbb\xbf{}",
    b'{"x":' + b"[" * 16 + b"]" * 16 + b"}", b"[" * 60000,
])
def test_not_json(suite, raw):
    check_failure(suite.call("POST", TRUNKS, raw=raw), 400)


def test_nesting_up_to_the_limit_is_fine(suite):
    deep = b"[" * 15 + b"]" * 15
    check_success(suite.call("POST", TRUNKS, raw=b'{"name":"deep","x":%s}' % deep), 201)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/jsonx",
                                  "application/xml", "multipart/form-data; boundary=x"])
def test_other_content_types(suite, kind):
    answer = suite.call("POST", TRUNKS, raw=b'{"name":"x"}', headers={"Content-Type": kind})
    check_failure(answer, 415)


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
def test_json_content_types(suite, kind):
    answer = suite.call("POST", TRUNKS, raw=b'{"name":"x"}', headers={"Content-Type": kind})
    check_success(answer, 201)


def test_empty_body_counts_as_an_empty_object(suite, trunk):
    made = check_success(suite.call("POST", f"{TRUNKS}/{trunk}/auth", {"type": "ip", "ip": new_ip()}), 201)
    one = f"{TRUNKS}/{trunk}/auth/{made['uuid']}"
    for kind in ("text/plain", "application/json"):
        check_success(suite.call("PATCH", one, raw=b"", headers={"Content-Type": kind}), 200)
        check_failure(suite.call("PUT", f"{TRUNKS}/{trunk}", raw=b"", headers={"Content-Type": kind}), 400, ["name"])


def test_chunked_body(suite):
    sent = (f"POST {TRUNKS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {suite.admin}\r\n"
            "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
            "8\r\n{\"name\":\r\n9\r\n\"chunked\"\r\n1\r\n}\r\n0\r\n\r\n").encode()
    received = suite.raw(sent)
    assert received.startswith(b"HTTP/1.1 201 ") and b'"name":"chunked"' in received


@pytest.mark.parametrize("size, status", [(64 * 1024, 201), (64 * 1024 + 1, 413), (1024 * 1024, 413)])
def test_body_limit(suite, size, status):
    raw = b'{"name":"large","x":"' + b"x" * (size - 23) + b'"}'
    assert len(raw) == size
    assert Client(suite.port, suite.admin).call("POST", TRUNKS, raw=raw).status == status


def test_url_limit(suite):
    path = TRUNKS + "?x="
    assert suite.call("GET", path + "y" * (2000 - len(path))).status == 200
    client = Client(suite.port, suite.admin)
    check_failure(client.call("GET", path + "y" * (2001 - len(path))), 414)
    check_v2_failure(client.call("GET", "/other?x=" + "y" * 2000), 414)


# ---- routes ----

def test_unknown_routes(suite):
    for path in ("/", "/nothing", "/voipx", "/v2/nothing", "/healthz/x"):
        check_v2_failure(suite.call("GET", path), 404)
    for path in ("/voip/", "/voip/nothing", TRUNKS + "/", TRUNKS + "//auth"):
        answer = suite.call("GET", path)
        assert answer.status in (400, 404), path
        check_failure(answer, answer.status)


@pytest.mark.parametrize("path, allowed", [
    (TRUNKS, {"GET", "POST"}),
    (TRUNKS + "/{}", {"GET", "PUT", "DELETE"}),
    (TRUNKS + "/{}/auth", {"GET", "POST"}),
    (TRUNKS + "/{}/auth/{}", {"GET", "PATCH", "DELETE"}),
    (TRUNKS + "/{}/auth/{}/rotate", {"POST"}),
])
def test_other_methods(suite, trunk, path, allowed):
    path = path.format(trunk, trunk)
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} - allowed:
        answer = suite.call(method, path)
        check_failure(answer, 405)
        assert allowed <= {word.strip() for word in answer.headers["Allow"].split(",")}


def test_head_is_get_without_the_body(suite, trunk):
    for path, status in ((TRUNKS, 200), (f"{TRUNKS}/{trunk}", 200), ("/none", 404), ("/healthz", 200)):
        got, head = (Client(suite.port, suite.admin).call(verb, path) for verb in ("GET", "HEAD"))
        assert (head.status, head.body) == (status, b"")
        assert head.headers["Content-Type"] == got.headers["Content-Type"]
        assert head.headers["Content-Length"] == got.headers["Content-Length"]


def test_other_method_outside_the_dialects(suite):
    answer = suite.call("POST", "/healthz", {})
    check_v2_failure(answer, 405)
    assert "GET" in answer.headers["Allow"]


# ---- request ids ----

def test_request_id_is_echoed_or_made(suite):
    for wanted in ("a", "A.b_c-9", "x" * 64):
        assert suite.call("GET", TRUNKS, headers={"X-Request-Id": wanted}).headers["x-request-id"] == wanted
    for unwanted in ("x" * 65, "a b", "a/b", "ü".encode("latin-1").decode("latin-1")):
        given = suite.call("GET", TRUNKS, headers={"X-Request-Id": unwanted}).headers["x-request-id"]
        assert given and given != unwanted
    ids = {suite.call("GET", path, key="").headers["x-request-id"] for path in (TRUNKS, "/healthz", "/none")}
    assert len(ids) == 3 and None not in ids


# ---- health ----

def test_health_and_readiness_need_no_key(suite):
    for path in ("/healthz", "/readyz"):
        answer = suite.call("GET", path, key="")
        assert answer.status == 200
        assert isinstance(json.loads(answer.body), dict)


# ---- the OpenAPI document ----

def test_the_document_needs_no_key(suite):
    answer = suite.call("GET", "/openapi.json", key="")
    assert answer.status == 200 and answer.headers["Content-Type"] == "application/json"
    assert answer.body == (ROOT / "docs/openapi.json").read_bytes(), "run tools/openapi.py BIN_DIR --update"
    assert answer.headers["x-request-id"]
    head = Client(suite.port).call("HEAD", "/openapi.json")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["Content-Length"] == str(len(answer.body))


def test_the_document_is_read_only(suite):
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        answer = suite.call(method, "/openapi.json")
        check_v2_failure(answer, 405)
        assert answer.headers["Allow"] == "GET, HEAD"


# ---- secrets ----

def test_no_answer_repeats_a_password(suite, trunk):
    marker = "Marker-of-a-password"
    bodies = [
        {"type": "sipuser", "username": "marked", "password": marker},
        {"type": "sipuser", "username": "mark ed", "password": marker},
        {"type": "wrong", "username": "marked", "password": marker},
        {"type": "sipuser", "username": "marked", "password": marker * 10},
        {"type": "sipuser", "username": "marked", "password": [marker]},
    ]
    for body in bodies:
        assert marker.encode() not in suite.call("POST", f"{TRUNKS}/{trunk}/auth", body).body
    assert marker.encode() not in suite.call("GET", f"{TRUNKS}/{trunk}/auth").body
