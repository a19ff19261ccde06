"""Routes that take no key (/sso), by the gateway's side: what a worker is told of the request, what it may say to the
browser, and how much a stranger may ask for. The worker is scripted."""

import concurrent.futures
import http.client
import urllib.parse

import pytest
from scripted import Scripted
from suite import Answer, Suite

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
HTML, METADATA = 4, 5  # media_t
LOGIN, CONSUME, SESSION = "/sso/myorg", "/sso/saml/auth/myorg", "/sso/session"
LOGOUT = "/sso/saml/logout/myorg"
TOKEN = "T0ken-" + "x" * 37
PROXY = {"LK_TRUSTED_PROXIES": "127.0.0.1"}


@pytest.fixture(scope="module")
def suite():
    with Suite(["auth-provider"], workers=0, gateway_settings={"LK_SSO_RATE_LIMIT": "0"}) as running:
        yield running


@pytest.fixture(scope="module")
def scripted(suite):
    with Scripted(suite, "auth-provider") as running:
        yield running


@pytest.fixture
def worker(scripted):
    scripted.asked.clear()
    scripted.answer = lambda asked: asked.reply("DENIED", "<p>no", HTML)
    return scripted


def ask(suite, method, path, body=None, headers=()):
    """Header fields as a list of pairs: names may repeat."""
    line = http.client.HTTPConnection("127.0.0.1", suite.port, timeout=30)
    line.putrequest(method, path)
    for name, value in headers:
        line.putheader(name, value)
    if body is not None:
        line.putheader("Content-Length", str(len(body)))
    line.endheaders(body)
    received = line.getresponse()
    answer = Answer(received.status, received.headers, received.read())
    line.close()
    return answer


def head_of(suite, worker, headers, path=SESSION):
    worker.asked.clear()
    assert ask(suite, "GET", path, headers=headers).status == 403
    return worker.asked[0].head


def test_no_key_and_no_idempotency_key_is_looked_at(suite, worker):
    for headers in ([], [("Authorization", f"Bearer {suite.admin}")], [("Authorization", "Bearer lk_wrong")],
                    [("x-api-token", suite.admin), ("X-Auth-Password", "other")]):
        worker.asked.clear()
        answer = ask(suite, "GET", LOGIN, headers=[*headers, ("Idempotency-Key", "mine")])
        assert (answer.status, answer.body) == (403, b"<p>no")
        assert worker.asked[0].principal is None
        assert worker.asked[0].key not in (None, "mine") and len(worker.asked[0].key) == 36
    keys = []
    for _ in range(2):  # one key, and no answer from before
        worker.asked.clear()
        ask(suite, "GET", LOGIN, headers=[("Idempotency-Key", "mine")])
        keys.append(worker.asked[0].key)
    assert keys[0] != keys[1]
    assert ask(suite, "GET", "/v2/authentication_providers").status == 401  # the others are as they were
    assert len(worker.asked) == 1


def test_a_worker_is_told_of_the_head(suite, worker):
    head = head_of(suite, worker, [("accept", "text/html"), ("Authorization", f"Bearer {TOKEN}"), ("COOKIE", "a=b; c=d")])
    assert head == {"Accept": "text/html", "Authorization": f"Bearer {TOKEN}", ":client": "127.0.0.1", "Cookie": "a=b; c=d"}
    assert head_of(suite, worker, []) == {"Accept": "", "Authorization": "", ":client": "127.0.0.1", "Cookie": ""}
    query = "SAMLRequest=a%2fb%2Fc+d&RelayState=%zz&&x"
    assert head_of(suite, worker, [], f"{LOGOUT}?{query}")[":query"] == query  # to the byte
    assert head_of(suite, worker, [], LOGOUT)[":query"] == ""


@pytest.mark.parametrize("name, values, seen", [
    ("Cookie", ["a=b", "c=d"], "a=b; c=d"),  # RFC 9113 section 8.2.3
    ("Cookie", ["a=" + "x" * 4000, "c=" + "y" * 92], ""),
    ("Cookie", ["a=" + "x" * 4095], ""),
    ("Cookie", ["a=" + "x" * 4094], "a=" + "x" * 4094),
    ("Authorization", [f"Bearer {TOKEN}", f"Bearer {TOKEN}"], ""),
    ("Authorization", ["Bearer " + "x" * 250], ""),
    ("Accept", ["text/html", "application/json"], ""),
    ("Cookie", ["a=\xff"], ""),
])
def test_what_is_not_one_good_value_is_none(suite, worker, name, values, seen):
    assert head_of(suite, worker, [(name, value) for value in values])[name] == seen


def test_the_form_is_large_and_bounded(suite, worker):
    response = "A+/=" * (384 * 256)  # 384 KiB
    encoded = urllib.parse.urlencode({"SAMLResponse": response[:160 * 1024]}).encode()
    assert 384 * 1024 < len(encoded) < 512 * 1024
    assert ask(suite, "POST", CONSUME, encoded, FORM.items()).status == 403
    assert worker.asked[-1].body == {"SAMLResponse": response[:160 * 1024]}
    plain = b"RelayState=r&SAMLResponse=" + b"A" * len(response)
    assert ask(suite, "POST", CONSUME, plain, FORM.items()).status == 403
    assert worker.asked[-1].body == {"RelayState": "r", "SAMLResponse": "A" * len(response)}
    worker.asked.clear()
    assert ask(suite, "POST", CONSUME, plain + b"A", FORM.items()).status == 422
    assert ask(suite, "POST", CONSUME, b"x=" + b"A" * (512 * 1024), FORM.items()).status == 413
    assert ask(suite, "POST", CONSUME, plain, [("Content-Type", "application/json")]).status == 415
    assert ask(suite, "POST", CONSUME, b"SAMLResponse=a&SAMLResponse=b", FORM.items()).status == 422
    assert not worker.asked


def test_a_body_that_is_not_asked_for_may_be_of_any_type(suite, worker):
    """Such as a log-out's form with a field of the portal's own."""
    for body, headers in ((b"csrf=1", FORM), (b"<a/>", {"Content-Type": "text/xml"}), (b"x", {})):
        assert ask(suite, "POST", "/sso/logout", body, headers.items()).status == 403
        assert worker.asked[-1].body in (None, {})
    assert ask(suite, "POST", "/sso/logout", b"x" * 70000, FORM.items()).status == 413


def test_only_log_out_takes_a_long_url(suite, worker):
    assert ask(suite, "GET", f"{LOGOUT}?SAMLRequest=" + "a" * (16 * 1024 - 12)).status == 403
    assert len(worker.asked[0].head[":query"]) == 16 * 1024
    worker.asked.clear()
    page = ask(suite, "GET", f"{LOGOUT}?SAMLRequest=" + "a" * 17000)
    assert page.status == 414
    for path in (f"{LOGIN}?return_to=/", "/v2/authentication_providers?x=", "/nothing?", "/healthz?"):
        assert ask(suite, "GET", path + "a" * 2000).status == 414
    assert not worker.asked


def answered(suite, operation, status):
    """How often, as the gateway counts it."""
    labels = (("program", "gateway"), ("operation", operation), ("status", status))
    return suite.metrics(suite.gateway).get(("lk_http_requests_total", labels), 0)


def test_a_worker_sends_the_browser_on(suite, worker):
    cookies = ["session=" + TOKEN + "; Path=/; HttpOnly", "login=; Max-Age=0"]
    url = "https://idp.example/sso?SAMLRequest=" + "a" * 15000
    headers = [["Set-Cookie", cookies[0]], ["Location", url], ["Set-Cookie", cookies[1]]]
    worker.answer = lambda asked: asked.reply("ELSEWHERE", headers=headers)
    answer = ask(suite, "GET", LOGIN)
    assert (answer.status, answer.body, answer.headers["Location"]) == (303, b"", url)
    assert answer.headers.get_all("Set-Cookie") == cookies
    assert answer.headers["Content-Type"] is None and answer.headers["Content-Length"] == "0"
    assert answer.headers["Idempotent-Replayed"] is None
    assert answered(suite, "sso_login", "303") >= 1


@pytest.mark.parametrize("path", [LOGIN, LOGOUT])
def test_head_begins_nothing_and_ends_nothing(suite, worker, path):
    answer = ask(suite, "HEAD", path)
    assert (answer.status, answer.headers["Allow"]) == (405, "GET") and not worker.asked
    assert ask(suite, "HEAD", SESSION).status == 403 and len(worker.asked) == 1


@pytest.mark.parametrize("headers", [
    [["Content-Type", "text/html"]], [["location", "/x"]], [["Location", "/x\r\nSet-Cookie: a=b"]], [["Location", ""]],
    [["Location", "/x"]] * 5, [["Location"]], [], ["Location", "/x"], {"Location": "/x"}, [["Location", b"/x"]],
])
def test_a_worker_may_say_nothing_else(suite, worker, headers):
    worker.answer = lambda asked: asked.reply("ELSEWHERE", headers=headers)
    answer = ask(suite, "GET", LOGIN)
    assert answer.status == 500
    assert answer.headers["Location"] is None and answer.headers["Set-Cookie"] is None


def assert_guarded(answer, cached=False):
    assert answer.headers["Cache-Control"] == ("no-cache" if cached else "no-store")
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ") and "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy and "base-uri 'none'" in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff" and answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_every_answer_below_sso_is_guarded(suite, worker):
    long = "a" * 2000
    for method, path, status in [("GET", LOGIN, 403), ("PUT", LOGIN, 405), ("GET", "/sso/a/b/c", 404), ("GET", "/sso", 404),
                                 ("GET", f"{LOGIN}?return_to=/a&return_to=/b", 400), ("GET", f"{LOGIN}?{long}", 414),
                                 ("POST", CONSUME, 403)]:
        answer = ask(suite, method, path)
        assert answer.status == status
        assert_guarded(answer)
        if status == 403:
            continue
        assert answer.headers["Content-Type"] == "application/json" and answer.json["errors"]
        page = ask(suite, method, path, headers=[("Accept", "text/html,*/*;q=0.8")])
        assert page.status == status and page.headers["Content-Type"] == "text/html; charset=utf-8"
        assert page.body.startswith(b"<!doctype html>") and b"<script" not in page.body
        assert_guarded(page)


def test_metadata_may_be_cached_and_asked_for_again(suite, worker):
    worker.answer = lambda asked: asked.reply("OK", "<EntityDescriptor/>", METADATA)
    path = "/sso/saml/metadata/myorg"
    answer = ask(suite, "GET", path)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/samlmetadata+xml")
    assert_guarded(answer, cached=True)
    again = ask(suite, "GET", path, headers=[("If-None-Match", answer.headers["ETag"])])
    assert (again.status, again.body) == (304, b"")
    assert answered(suite, "sso_metadata", "304") >= 1
    worker.answer = lambda asked: asked.reply("UNKNOWN")
    assert_guarded(ask(suite, "GET", path))


def test_the_log_has_neither_query_nor_cookie_nor_token(suite, worker):
    secret = "s3cr3t-" + TOKEN
    worker.answer = lambda asked: asked.reply("ELSEWHERE", headers=[["Set-Cookie", f"a={secret}"], ["Location", f"/{secret}"]])
    ask(suite, "GET", f"{LOGOUT}?SAMLRequest={secret}", headers=[("Cookie", f"a={secret}"), ("Authorization", f"Bearer {secret}"),
                                                                  ("Referer", f"https://x/{secret}")])
    ask(suite, "POST", CONSUME, f"SAMLResponse={secret}&RelayState={secret}".encode(), FORM.items())
    ask(suite, "GET", f"{LOGIN}?return_to=/{secret}&return_to={secret}")
    ask(suite, "GET", f"/sso/nothing/at/all?{secret}")
    assert suite.grep_logs(rb" path=/sso/saml/logout/myorg .* operation=sso_logout_message")
    assert not suite.grep_logs(secret.encode())


def test_strangers_are_limited_by_network():
    settings = PROXY | {"LK_SSO_RATE_LIMIT": "1"}
    with Suite(["auth-provider"], workers=0, gateway_settings=settings) as suite, Scripted(suite, "auth-provider") as worker:
        worker.answer = lambda asked: asked.reply("DENIED", "<p>no", HTML)

        def statuses(client):
            return [ask(suite, "GET", LOGIN, headers=[("X-Forwarded-For", client)]).status for _ in range(30)]

        # However slow the machine: 30 at once are more than one a second allows.
        for client, neighbour in (("192.0.2.1", None), ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2")):
            answered = statuses(client)
            assert answered[0] == 403 and 429 in answered, answered
            if neighbour:
                assert 429 in statuses(neighbour)[:15]
        answered = ask(suite, "GET", LOGIN, headers=[("X-Forwarded-For", "192.0.2.2")])
        assert (answered.status, answered.headers["x-ratelimit-limit"], answered.headers["x-ratelimit-remaining"]) == (403, "1", "0")
        refused = None
        while refused is None or refused.status != 429:
            refused = ask(suite, "GET", LOGIN, headers=[("X-Forwarded-For", "2001:db8:0:2::9"), ("Accept", "text/html")])
        assert refused.headers["Retry-After"] == "1" and refused.body.startswith(b"<!doctype html>")
        assert_guarded(refused)
        # Who has a key is not slowed down by strangers.
        worker.answer = lambda asked: asked.reply("UNKNOWN")
        path = "/v2/authentication_providers/018f0000-0000-7000-8000-000000000001"
        assert [suite.call("GET", path).status for _ in range(20)] == [404] * 20


def test_large_forms_of_strangers_are_bounded():
    """32 at once; all other requests are served meanwhile. The worker holds what is large until the gateway gives up."""
    large = b"SAMLResponse=" + b"A" * (65 * 1024)
    settings = {"LK_SSO_RATE_LIMIT": "0", "LK_ANSWER_MS": "5000"}
    with Suite(["auth-provider"], workers=0, gateway_settings=settings) as suite, Scripted(suite, "auth-provider") as worker:
        worker.answer = lambda asked: None if len((asked.body or {}).get("SAMLResponse", "")) > 1000 else asked.reply("DENIED", "<p>no", HTML)
        with concurrent.futures.ThreadPoolExecutor(48) as pool:
            posts = [pool.submit(ask, suite, "POST", CONSUME, large, FORM.items()) for _ in range(48)]
            first = next(concurrent.futures.as_completed(posts)).result()
            assert (first.status, first.headers["Retry-After"]) == (503, "1")  # 504 if nobody is refused
            assert ask(suite, "POST", CONSUME, b"SAMLResponse=AAAA", FORM.items()).status == 403
            statuses = [post.result().status for post in posts]
        assert set(statuses) == {503, 504} and len(worker.asked) - 1 == statuses.count(504)
        worker.answer = lambda asked: asked.reply("DENIED", "<p>no", HTML)
        assert [ask(suite, "POST", CONSUME, large, FORM.items()).status for _ in range(40)] == [403] * 40  # they are given back
