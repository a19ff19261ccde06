"""Call authorization as the gateway speaks it: what FreeSWITCH and Asterisk get when anything fails, byte for byte; how
forms arrive at a worker; documents, entity tags, keys. The worker is a script: its part is tested elsewhere."""

import pytest
from scripted import Scripted
from suite import Client, Suite, await_that, basic

TRUNKS = "/v1/sip/trunks"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
NOT_FOUND = (b'<document type="freeswitch/xml"><section name="result"><result status="not found"/></section></document>')
QUIET = {"freeswitch": (f"{TRUNKS}/freeswitch", "text/xml", NOT_FOUND),
         "asterisk": (f"{TRUNKS}/asterisk/ps_auths/single", "text/plain", b"")}
OUTCOMES = ["INVALID", "BAD_QUERY", "UNKNOWN", "CONFLICT", "KEY_REUSED", "FORBIDDEN", "UNAVAILABLE", "INTERNAL"]


@pytest.fixture(scope="module")
def suite():
    settings = {"LK_CALL_ANSWER_MS": "300", "LK_METRICS_LISTEN": "off"}
    with Suite(workers=0, gateway_settings=settings) as running:
        running.sip = running.make_key("--organization", "default", "--scope", "sip")
        yield running


@pytest.fixture(scope="module")
def running_worker(suite):
    with Scripted(suite) as running:
        yield running


@pytest.fixture
def worker(running_worker):
    running_worker.answer = lambda asked: asked.reply("UNAVAILABLE")
    running_worker.asked.clear()
    return running_worker


@pytest.fixture(params=QUIET)
def quiet(request):
    return request.param


def ask(suite, path, form=b"id=x", method="POST", key=None, headers=None):
    return suite.call(method, path, raw=form, key=suite.sip if key is None else key, headers=FORM | (headers or {}))


def assert_nothing(quiet, answer, method="POST"):
    """Whatever has failed."""
    _, media, body = QUIET[quiet]
    assert answer.status == 200 and answer.headers["Content-Type"] == media, (answer.status, answer.headers.items())
    assert answer.body == (b"" if method == "HEAD" else body) and answer.headers["Content-Length"] == str(len(body))
    assert answer.headers["Cache-Control"] == "no-store" and answer.headers["x-request-id"]
    for name in ("WWW-Authenticate", "Allow", "Retry-After", "ETag"):
        assert name not in answer.headers


def test_no_worker(suite, quiet):
    """First of all: there is none yet."""
    answer = ask(suite, QUIET[quiet][0])
    assert_nothing(quiet, answer)
    # the log has what the answer hides
    await_that(lambda: suite.grep_logs(rb"request=%b .*outcome=UNAVAILABLE" % answer.headers["x-request-id"].encode(),
                                       "gateway"), 10, "it is logged")
    there = suite.call("GET", f"{TRUNKS}/source?ip=192.0.2.1", key=suite.sip)
    assert there.status == 503 and there.headers["Cache-Control"] == "no-store"


def test_no_key_no_scope_no_rate(suite, worker, quiet):
    path = QUIET[quiet][0]
    worker.answer = lambda asked: asked.reply(body="yes", media=1 if quiet == "asterisk" else 2)
    assert ask(suite, path).body == b"yes"
    reads = suite.make_key("--organization", "default", "--scope", "read")
    slow = suite.make_key("--organization", "default", "--scope", "sip", "--rate-limit", "1")
    for key in ("", "lk_", suite.sip[:-1], suite.sip + "x", reads):
        assert_nothing(quiet, ask(suite, path, key=key))
    assert_nothing(quiet, ask(suite, path, key="", headers={"Authorization": basic("x", "lk_wrong")}))
    assert_nothing(quiet, ask(suite, path, headers={"x-api-token": suite.admin}))  # two that differ
    answers = (ask(suite, path, key=slow) for _ in range(1000))
    assert_nothing(quiet, next(answer for answer in answers if answer.body != b"yes"))


def test_requests_that_are_none(suite, worker, quiet):
    path = QUIET[quiet][0]
    worker.answer = lambda asked: asked.reply(body="yes", media=1 if quiet == "asterisk" else 2)
    for nowhere in (f"trunks/{quiet}/x", f"trunks/{quiet}/x/y/z", f"trunks/{quiet}/", f"nobody/{quiet}", f"nobody/{quiet}/x"):
        assert_nothing(quiet, ask(suite, f"/v1/sip/{nowhere}"))
    for method in ("GET", "HEAD", "PUT", "DELETE", "PATCH"):
        assert_nothing(quiet, ask(suite, path, None, method), method)
    for form in (b"%ff=x&user=a&user=b", b"id=%zz&user=%zz", b"id=a&id=b&user=a&user=b", b"id=%00&user=%00"):
        assert_nothing(quiet, ask(suite, path, form))
    assert_nothing(quiet, ask(suite, path, b'{"user": "a"}', headers={"Content-Type": "application/json"}))
    assert_nothing(quiet, ask(suite, path, b"user=" + b"a" * 65536))
    assert_nothing(quiet, ask(suite, path, b"user=" + b"a" * 3000 + b"&id=" + b"a" * 3000))
    assert_nothing(quiet, ask(suite, path + "?" + "a" * 2000))  # the HTTP server's own refusal
    assert_nothing(quiet, ask(suite, path, headers={"Expect": "the unexpected"}))
    assert worker.asked == []


@pytest.mark.parametrize("table, call", [("ps_nothing", "single"), ("ps_auths", "nothing"), ("PS_AUTHS", "single"),
                                         ("ps_auths", "%00"), ("ps_auths", "singl"), ("", "single")])
def test_unknown_tables(suite, worker, table, call):
    assert_nothing("asterisk", ask(suite, f"{TRUNKS}/asterisk/{table}/{call}"))
    assert worker.asked == []


def test_whatever_the_worker_says(suite, worker, quiet):
    path = QUIET[quiet][0]
    for outcome in OUTCOMES:
        worker.answer = lambda asked, outcome=outcome: asked.reply(outcome, message="No.", reason="locked_out",
                                                                   faults=[["rule", "body", "/x", "is bad"]])
        assert_nothing(quiet, ask(suite, path))
    for junk in (b"", b"\xc1", b"\x90"):
        worker.answer = lambda asked, junk=junk: junk
        assert_nothing(quiet, ask(suite, path))
    worker.answer = lambda asked: asked.reply(body="yes", media=0)  # a text that says it is none
    assert_nothing(quiet, ask(suite, path))
    worker.answer = lambda asked: None
    assert_nothing(quiet, ask(suite, path))  # after LK_CALL_ANSWER_MS


def test_documents_go_out_as_they_are(suite, worker):
    names = {1: "text/plain", 2: "text/xml", 3: "application/json"}
    for media, name in names.items():
        for text in ('{"control:Digest-HA1": "x"}\n', "[" + '"\u00e4", ' * 10000 + "1]", "" if media < 3 else "1"):
            worker.answer = lambda asked, media=media, text=text: asked.reply(body=text, media=media)
            answer = suite.call("GET", f"{TRUNKS}/acl", key=suite.sip)
            assert answer.status == 200 and answer.headers["Content-Type"] == name
            assert answer.body == text.encode() and answer.headers["Content-Length"] == str(len(answer.body))
            assert answer.headers["Cache-Control"] == "no-store"


def test_entity_tags(suite, worker):
    def get(*named, text="a list", method="GET", outcome="OK"):
        worker.answer = lambda asked: asked.reply(outcome, body=text if outcome == "OK" else None, media=1 if outcome == "OK" else 0)
        return suite.call(method, f"{TRUNKS}/acl", key=suite.sip, headers={"If-None-Match": ", ".join(named)} if named else {})

    first = get()
    tag = first.headers["ETag"]
    assert first.status == 200 and first.body == b"a list" and tag.startswith('"') and tag.endswith('"')
    for named in ([tag], [f"W/{tag}"], ['"x"', tag], ["*"]):
        for method in ("GET", "HEAD"):
            answer = get(*named, method=method)
            assert answer.status == 304 and answer.body == b"" and answer.headers["ETag"] == tag
            assert answer.headers["Cache-Control"] == "no-store" and "Content-Type" not in answer.headers
    assert get(tag, text="another").status == 200
    assert get('"x"').body == b"a list" and get(tag[1:-1]).status == 200
    assert get(tag, outcome="UNAVAILABLE").status == 503 and "ETag" not in get("*", outcome="UNAVAILABLE").headers
    head = get(method="HEAD")
    assert head.status == 200 and head.body == b"" and head.headers["ETag"] == tag and head.headers["Content-Length"] == "6"
    # it is of lists alone
    worker.answer = lambda asked: asked.reply(body="x", media=1)
    assert "ETag" not in suite.call("GET", f"{TRUNKS}/ha1?username=x", key=suite.sip, headers={"If-None-Match": "*"}).headers


def test_forms_arrive(suite, worker):
    """As mod_xml_curl sends them: a hundred fields, of which a dozen are ours."""
    worker.answer = lambda asked: asked.reply(body="<a/>", media=2)
    ours = {"section": "directory", "tag_name": "domain", "key_name": "name", "key_value": "linekeeper", "action": "sip_auth",
            "user": "b\u00fcro 1", "domain": "linekeeper", "ip": "2001:db8::1", "sip_auth_username": "b\u00fcro 1"}
    others = [f"variable_{i}={'x' * 200}" for i in range(100)] + ["Event-Name=A", "Event-Name=B", "X-A=%ff%00", "%%%", "&&=&"]
    encoded = ["section=directory", "tag_name=domain", "key_name=name", "key_value=linekeeper", "action=sip_auth",
               "user=b%C3%BCro%201", "domain=linekeeper", "ip=2001%3Adb8%3A%3A1", "sip_auth_username=b%c3%bcro+1"]
    again = ["user=b%C3%BCro%201", "domain=linekeeper"]
    form = "&".join(encoded + others + again).encode()
    for headers in ({}, {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
                    {"Content-Type": "Application/X-WWW-Form-Urlencoded"}):
        answer = ask(suite, f"{TRUNKS}/freeswitch?user=not-this", form, headers=headers)
        assert answer.body == b"<a/>" and answer.headers["Content-Type"] == "text/xml"
        assert worker.asked[-1].body == ours and worker.asked[-1].key is None
    assert ask(suite, f"{TRUNKS}/freeswitch", None).body == b"<a/>" and worker.asked[-1].body == {}
    chunks = suite.call("POST", f"{TRUNKS}/freeswitch", raw=iter([b"us", b"er=a"]), key=suite.sip, headers=FORM)
    assert chunks.body == b"<a/>" and worker.asked[-1].body == {"user": "a"}


@pytest.mark.parametrize("form, arrived", [
    (b"id=office-pbx", {"id": "office-pbx"}), (b"id%20LIKE=%25", {"id LIKE": "%"}), (b"", {}),
    (b"endpoint=a%26b%3Dc&id+LIKE=%25", {"endpoint": "a&b=c", "id LIKE": "%"}),
])
def test_tables_arrive(suite, worker, form, arrived):
    worker.answer = lambda asked: asked.reply(body="id=a&x=y\n", media=1)
    answer = ask(suite, f"{TRUNKS}/asterisk/ps_endpoints/multi?x=y", form)
    assert answer.body == b"id=a&x=y\n" and answer.headers["Content-Type"] == "text/plain"
    assert worker.asked[-1].path == {"table": "ps_endpoints", "call": "multi"} and worker.asked[-1].body == arrived


def test_reasons(suite, worker):
    for outcome, status, reason in (("FORBIDDEN", 403, "locked_out"), ("UNKNOWN", 404, "unknown_user")):
        worker.answer = lambda asked, outcome=outcome, reason=reason: asked.reply(outcome, message="So.", reason=reason)
        answer = suite.call("GET", f"{TRUNKS}/ha1?username=x", key=suite.sip)
        assert answer.status == status and answer.headers["Cache-Control"] == "no-store"
        error = answer.json["errors"][0]
        assert error["meta"]["reason"] == reason and error["detail"] == "So."
    worker.answer = lambda asked: None
    assert suite.call("GET", f"{TRUNKS}/ha1?username=x", key=suite.sip).status == 504


def test_keys(suite, worker):
    """Kamailio's client, left alone, asks without credentials first, and knows Basic and Digest only."""
    path = f"{TRUNKS}/ha1?username=x"
    worker.answer = lambda asked: asked.reply(body="x", media=1)
    answer = suite.call("GET", path, key="")
    assert answer.status == 401 and answer.headers["Cache-Control"] == "no-store"
    assert answer.headers.get_all("WWW-Authenticate") == ["Bearer", 'Basic realm="linekeeper"']
    assert suite.call("GET", path, key="", headers={"Authorization": basic("kamailio", suite.sip)}).body == b"x"
    assert suite.call("GET", path, key=suite.admin).body == b"x"
    reads = suite.make_key("--organization", "default", "--scope", "read")
    assert suite.call("GET", path, key=reads).status == 403
    assert suite.call("GET", "/voip/trunk", key=suite.sip).status == 403
    assert suite.call("GET", "/voip/trunk", key="").headers.get_all("WWW-Authenticate") == ["Bearer"]


def test_routes(suite, worker):
    for method, path, status, allow in (("POST", "/ha1", 405, "GET, HEAD"), ("GET", "/verify", 405, "POST"),
                                        ("HEAD", "/nonce", 405, "POST"), ("GET", "", 404, None), ("GET", "/ha2", 404, None),
                                        ("GET", "/ha1/", 404, None)):
        answer = suite.call(method, TRUNKS + path, key=suite.sip)
        assert answer.status == status and answer.headers["Allow"] == allow, (method, path)
        assert answer.headers["Cache-Control"] == "no-store"
        assert method == "HEAD" or answer.json["errors"][0]["meta"]["url"]
    worker.answer = lambda asked: asked.reply("DELETED")
    done = suite.call("POST", f"{TRUNKS}/report?x=y", {"username": "a", "source_ip": "192.0.2.1", "outcome": "success"}, key=suite.sip)
    assert done.status == 204 and done.body == b"" and done.headers["Cache-Control"] == "no-store"
    assert worker.asked[-1].body == {"username": "a", "source_ip": "192.0.2.1", "outcome": "success"} and worker.asked[-1].key is None
    for body, status in (({}, 422), ({"username": "a", "source_ip": "x", "outcome": "success"}, 422)):
        assert suite.call("POST", f"{TRUNKS}/report", body, key=suite.sip).status == status
    assert suite.call("GET", f"{TRUNKS}/ha1", key=suite.sip).status == 400
    assert suite.call("GET", f"{TRUNKS}/ha1?username=x&algorithm=SHA1", key=suite.sip).status == 400
    assert suite.call("POST", f"{TRUNKS}/verify", raw=b"a=b", key=suite.sip, headers=FORM).status == 415
    # HEAD is GET without the body
    worker.answer = lambda asked: asked.reply(body="0123", media=1)
    head = Client(suite.port, suite.sip).call("HEAD", f"{TRUNKS}/ha1?username=x")
    assert head.status == 200 and head.body == b"" and head.headers["Content-Length"] == "4"
