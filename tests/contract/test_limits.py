"""docs/api/README.md: rate limits, client addresses, lists that end at 10,000 rows."""

import sqlite3

import pytest
from suite import Client, Suite, await_that
from trunk_dialect import check_failure

TRUNKS = "/voip/trunk"
LIMIT_HEADERS = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")


def test_no_limit_no_headers(suite):
    answer = suite.call("GET", TRUNKS)
    assert not [name for name in LIMIT_HEADERS if answer.headers[name] is not None]


def test_limit_of_a_key(suite):
    key = suite.make_key("--organization", "default", "--scope", "read", "--rate-limit", "5")
    client = Client(suite.port, key)
    answers = [client.call("GET", TRUNKS) for _ in range(40)]
    assert {answer.status for answer in answers} == {200, 429}
    for answer in answers:
        assert answer.headers["x-ratelimit-limit"] == "5"
        assert 0 <= int(answer.headers["x-ratelimit-remaining"]) <= 5
        assert int(answer.headers["x-ratelimit-reset"]) >= 0
    over = next(answer for answer in answers if answer.status == 429)
    assert int(over.headers["Retry-After"]) >= 1 and over.headers["x-ratelimit-remaining"] == "0"
    assert over.body.startswith(b'{"result":{},"status_code":429,"status_message":"Too Many Requests","errors":[')
    assert suite.call("GET", TRUNKS).status == 200  # another key is not held up
    await_that(lambda: client.call("GET", TRUNKS).status == 200, 5, "the bucket fills again")


def test_limit_for_all_keys_and_one_of_its_own():
    with Suite(gateway_settings={"LK_RATE_LIMIT": "3"}) as suite:
        assert 429 in {suite.call("GET", TRUNKS).status for _ in range(30)}
        more = suite.make_key("--organization", "default", "--scope", "read", "--rate-limit", "1000")
        assert {suite.call("GET", TRUNKS, key=more).status for _ in range(30)} == {200}
        assert {suite.call("GET", "/healthz", key="").status for _ in range(30)} == {200}


# ---- client addresses ----

@pytest.mark.parametrize("trusted, forwarded, seen", [
    ("", "198.51.100.7", "127.0.0.1"),
    ("127.0.0.1", "198.51.100.7", "198.51.100.7"),
    ("127.0.0.0/8,10.0.0.0/8", "203.0.113.9, 198.51.100.7, 10.1.2.3", "198.51.100.7"),
    ("127.0.0.1", "nonsense", "127.0.0.1"),
    ("10.0.0.0/8", "198.51.100.7", "127.0.0.1"),
])
def test_client_address(trusted, forwarded, seen):
    with Suite(workers=0, gateway_settings={"LK_TRUSTED_PROXIES": trusted}) as suite:
        await_that(lambda: suite.readiness() == 503, 15, "the gateway answers")
        # No health check: those are logged for who debugs.
        headers = {"X-Forwarded-For": forwarded, "x-request-id": "forwarded"}
        assert suite.call("GET", TRUNKS, headers=headers, key="").status == 401
        line = await_that(lambda: suite.grep_logs(rb"request=forwarded "), 5, "its line")[0]
        assert f"client={seen}".encode() in line.split()


# ---- long lists ----

def test_unpaged_lists_end_at_10000_and_say_where_to_go_on():
    with Suite() as suite:
        first = suite.call("POST", TRUNKS, {"name": "first"}).result["uuid"]
        suite.workers[0].stop()
        with sqlite3.connect(suite.data / "trunk-auth.db") as store:
            columns = [row[1] for row in store.execute("PRAGMA table_info(trunk)")]
            assert columns[0] == "uuid"
            row = store.execute("SELECT * FROM trunk").fetchone()
            store.executemany(f"INSERT INTO trunk VALUES ({','.join('?' * len(columns))})",
                              [(f"f0000000-0000-7000-8000-{i:012x}", *row[1:]) for i in range(10004)])
        suite.start_worker()
        suite.await_ready()
        answer = suite.call("GET", TRUNKS)
        assert answer.status == 200 and len(answer.result) == 10000
        assert answer.result[0]["uuid"] == first
        link = answer.headers["Link"]
        assert link.startswith("<") and link.endswith('>; rel="next"')
        rest = suite.call("GET", link[1:link.index(">")])
        assert [trunk["uuid"] for trunk in rest.result] == [f"f0000000-0000-7000-8000-{i:012x}" for i in range(9999, 10004)]
        assert rest.headers["Link"] is None
        # A client that pages by itself, and one that follows the links, both see every trunk once.
        seen, url = [], f"{TRUNKS}?limit=250"
        while url:
            page = suite.call("GET", url)
            seen += [trunk["uuid"] for trunk in page.result]
            link = page.headers["Link"]
            url = link[1:link.index(">")] if link else None
            assert not link or len(page.result) == 250 and "limit=250" in link
        assert len(seen) == len(set(seen)) == 10005
        check_failure(suite.call("GET", f"{TRUNKS}?limit=10000"), 400, ["limit"])
