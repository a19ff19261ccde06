"""docs/api/connections.md, /v2: fqdn_connections, fqdns, and what they share with /security."""

import pytest
from trunk_dialect import NOWHERE, UUID

SERVICES = ["fqdn-auth"]
CONNECTIONS, FQDNS = "/v2/fqdn_connections", "/v2/fqdns"
KEYS = ["active", "connection_name", "created_at", "id", "inbound", "outbound", "password", "record_type", "tags",
        "transport_protocol", "updated_at", "user_name", "webhook_event_failover_url", "webhook_event_url"]


def data(answer, status=200):
    assert answer.status == status, answer.body
    assert list(answer.json) == ["data"]
    return answer.json["data"]


def errors(answer, status, pointers=None, code=None):
    assert answer.status == status, answer.body
    found = answer.json["errors"]
    assert found and all(error["code"] and error["title"] for error in found)
    if pointers is not None:
        where = [error["source"].get("pointer") or error["source"].get("parameter") for error in found]
        assert sorted(where) == sorted(pointers), found
    if code is not None:
        assert {error["code"] for error in found} == {code}
    return found


def auth(connection):
    return f"{CONNECTIONS}/{connection}/fqdn_authentication"


@pytest.fixture
def connection(suite):
    return data(suite.call("POST", CONNECTIONS, {"connection_name": "a connection"}), 201)["id"]


def test_defaults(suite):
    made = data(suite.call("POST", CONNECTIONS, {"connection_name": "Head office"}), 201)
    assert list(made) == KEYS and UUID.match(made["id"])
    assert made["record_type"] == "fqdn_connection"
    assert (made["active"], made["transport_protocol"], made["tags"], made["inbound"]) == (True, "UDP", [], {})
    assert made["outbound"] == {"ip_authentication_method": "credential-authentication", "ip_authentication_token": None,
                                "tech_prefix": None}
    assert (made["user_name"], made["password"], made["webhook_event_url"]) == (None, None, None)
    assert data(suite.call("GET", f"{CONNECTIONS}/{made['id']}")) == made


def test_all_that_is_stored(suite):
    body = {"connection_name": "whole", "active": False, "transport_protocol": "TLS", "tags": ["ä", "b"],
            "webhook_event_url": "https://a.example/", "webhook_event_failover_url": None,
            "inbound": {"codecs": ["G722", "G711U"], "channel_limit": None, "sip_region": "US"},
            "outbound": {"ip_authentication_method": "ip-authentication", "tech_prefix": "8001", "channel_limit": 10,
                         "ani_override": "+13125550100"}}
    made = data(suite.call("POST", CONNECTIONS, body), 201)
    shown = data(suite.call("GET", f"{CONNECTIONS}/{made['id']}"))
    assert shown == made
    for name, value in body.items():
        if name == "outbound":
            assert {key: shown[name][key] for key in value} == value
        else:
            assert shown[name] == value


def test_patch_merges(suite):
    made = data(suite.call("POST", CONNECTIONS, {"connection_name": "x", "inbound": {"a": 1, "b": {"c": 2}},
                                                 "outbound": {"d": 3, "tech_prefix": "8002"}}), 201)
    where = f"{CONNECTIONS}/{made['id']}"
    changed = data(suite.call("PATCH", where, {"inbound": {"b": None, "e": [4]}, "outbound": {"d": 5}, "id": NOWHERE}))
    assert changed["id"] == made["id"]
    assert changed["inbound"] == {"a": 1, "b": None, "e": [4]}
    assert (changed["outbound"]["d"], changed["outbound"]["tech_prefix"]) == (5, "8002")
    assert changed["connection_name"] == "x"
    assert data(suite.call("PATCH", where, {})) == changed
    assert data(suite.call("PATCH", where, raw=b"", headers={"Content-Type": "text/plain"})) == changed


@pytest.mark.parametrize("outbound", [{}, {"tech_prefix": "8013", "ip_authentication_token": "a token of 8013"}])
def test_what_is_shown_is_taken_back(suite, outbound):
    made = data(suite.call("POST", CONNECTIONS, {"connection_name": "x", "inbound": {"a": [1]}, "outbound": outbound}), 201)
    where = f"{CONNECTIONS}/{made['id']}"
    assert data(suite.call("PATCH", where, made)) == made
    assert data(suite.call("GET", where)) == made
    cleared = data(suite.call("PATCH", where, {"outbound": {"tech_prefix": None, "ip_authentication_token": None}}))
    assert (cleared["outbound"]["tech_prefix"], cleared["outbound"]["ip_authentication_token"]) == (None, None)
    assert data(suite.call("POST", CONNECTIONS, cleared), 201)["id"] != made["id"]
    fqdn = data(suite.call("POST", FQDNS, {"connection_id": made["id"], "fqdn": "back.example", "dns_record_type": "srv"}), 201)
    assert data(suite.call("PATCH", f"{FQDNS}/{fqdn['id']}", fqdn)) == fqdn


def test_authentication(suite, connection):
    shown = data(suite.call("GET", auth(connection)))
    assert (shown["record_type"], shown["connection_id"], shown["user_name"]) == ("fqdn_authentication", connection, None)
    changed = data(suite.call("PATCH", auth(connection), {"user_name": "v2-user", "password": "long enough",
                                                          "webhook_url": "https://hook.example/"}))
    assert (changed["user_name"], changed["password"], changed["digest_ready"]) == ("v2-user", "********", True)
    assert data(suite.call("PATCH", auth(connection), {})) == changed
    whole = data(suite.call("GET", f"{CONNECTIONS}/{connection}"))
    assert (whole["user_name"], whole["password"], whole["webhook_event_url"]) == ("v2-user", "********", "https://hook.example/")


def test_one_store_two_spellings(suite, connection):
    v1 = f"/security/connections/{connection}"
    assert suite.call("GET", v1).json["auth_type"] == "fqdn"
    answer = suite.call("PUT", f"{v1}/fqdn_authentication", {
        "failover_url": "https://b.example/", "fqdn_outbound_authentication": "ip-authentication", "tech_prefix": "8003",
        "ip_authentication_token": "a token of calls"})
    assert answer.status == 200, answer.body
    shown = data(suite.call("GET", f"{CONNECTIONS}/{connection}"))
    assert shown["webhook_event_failover_url"] == "https://b.example/"
    assert shown["outbound"] == {"ip_authentication_method": "ip-authentication", "ip_authentication_token": "********",
                                 "tech_prefix": "8003"}
    data(suite.call("PATCH", f"{CONNECTIONS}/{connection}", {"webhook_event_failover_url": None, "connection_name": "renamed"}))
    assert suite.call("GET", f"{v1}/fqdn_authentication").json["failover_url"] is None
    assert suite.call("GET", v1).json["connection_name"] == "renamed"


def test_a_v1_connection_has_none_until_it_needs_one(suite):
    made = suite.call("POST", "/security/connections", {"connection_name": "v1"}).json["id"]
    errors(suite.call("GET", auth(made)), 404)
    errors(suite.call("PATCH", auth(made), {}), 404)
    assert data(suite.call("GET", f"{CONNECTIONS}/{made}"))["outbound"]["ip_authentication_method"] == "credential-authentication"
    data(suite.call("PATCH", f"{CONNECTIONS}/{made}", {"outbound": {"tech_prefix": "8004"}}))
    assert data(suite.call("GET", auth(made)))["tech_prefix"] == "8004"


def test_delete_answers_the_object(suite, connection):
    before = data(suite.call("GET", f"{CONNECTIONS}/{connection}"))
    assert data(suite.call("DELETE", f"{CONNECTIONS}/{connection}")) == before
    errors(suite.call("GET", f"{CONNECTIONS}/{connection}"), 404, code="10005")
    errors(suite.call("DELETE", f"{CONNECTIONS}/{connection}"), 404)


@pytest.mark.parametrize("body, pointers", [
    ({}, ["/connection_name"]), ({"connection_name": ""}, ["/connection_name"]),
    ({"connection_name": "a", "active": None, "transport_protocol": "udp"}, ["/active", "/transport_protocol"]),
    ({"connection_name": "a", "webhook_event_url": "example.com"}, ["/webhook_event_url"]),
    ({"connection_name": "a", "tags": [1]}, ["/tags"]), ({"connection_name": "a", "inbound": "x"}, ["/inbound"]),
    ({"connection_name": "a", "outbound": {"tech_prefix": "x", "ip_authentication_token": "short"}},
     ["/outbound/tech_prefix", "/outbound/ip_authentication_token"])])
def test_refused(suite, body, pointers):
    errors(suite.call("POST", CONNECTIONS, body), 422, pointers)


def test_taken(suite, connection):
    data(suite.call("PATCH", auth(connection), {"user_name": "Taken", "password": "long enough", "tech_prefix": "8005"}))
    other = data(suite.call("POST", CONNECTIONS, {"connection_name": "x"}), 201)["id"]
    errors(suite.call("PATCH", auth(other), {"user_name": "tAKEN", "password": "long enough"}), 422, ["/user_name"], "10012")
    errors(suite.call("PATCH", f"{CONNECTIONS}/{other}", {"outbound": {"tech_prefix": "8005"}}), 422,
           ["/outbound/tech_prefix"], "10012")
    errors(suite.call("POST", CONNECTIONS, {"connection_name": "y", "outbound": {"tech_prefix": "8005"}}), 422,
           ["/outbound/tech_prefix"], "10012")


def test_errors(suite, connection):
    stranger = suite.make_key("--organization", "strangers", "--scope", "admin")
    for method in ("GET", "PATCH", "DELETE"):
        errors(suite.call(method, f"{CONNECTIONS}/{NOWHERE}", {}), 404)
        errors(suite.call(method, f"{CONNECTIONS}/no-uuid", {}), 404)
        errors(suite.call(method, f"{CONNECTIONS}/{connection}", {}, key=stranger), 404)
    errors(suite.call("GET", CONNECTIONS, key="lk_x"), 401)
    errors(suite.call("PUT", f"{CONNECTIONS}/{connection}", {}), 405)


# ---- lists ----

@pytest.fixture(scope="module")
def many(suite):
    key = suite.make_key("--organization", "many", "--scope", "admin")
    ids = []
    for i in range(23):
        body = {"connection_name": f"{'Line' if i % 2 else 'line'} {i * 7 % 23:02}", "active": i % 3 != 0}
        ids.append(data(suite.call("POST", CONNECTIONS, body, key=key), 201)["id"])
    return key, ids


def page(suite, key, query="", where=CONNECTIONS):
    answer = suite.call("GET", f"{where}?{query}", key=key)
    assert answer.status == 200, answer.body
    assert list(answer.json) == ["data", "meta"]
    return answer.json["data"], answer.json["meta"]


@pytest.mark.parametrize("sort", ["created_at", "-created_at", "connection_name", "-connection_name", "active", "-active"])
def test_pages_neither_overlap_nor_skip(suite, many, sort):
    key, ids = many
    whole, meta = page(suite, key, f"sort={sort}")
    assert meta == {"page_number": 1, "page_size": 250, "total_pages": 1, "total_results": 23}
    assert sorted(row["id"] for row in whole) == sorted(ids)
    name = sort.lstrip("-")
    values = [row[name].lower() if name == "connection_name" else row[name] for row in whole]
    assert values == sorted(values, reverse=sort.startswith("-"))
    joined = []
    for number in range(1, 7):
        rows, meta = page(suite, key, f"sort={sort}&page[number]={number}&page%5Bsize%5D=4")
        assert meta == {"page_number": number, "page_size": 4, "total_pages": 6, "total_results": 23}
        joined += rows
    assert joined == whole
    assert page(suite, key, f"sort={sort}&page[number]=7&page[size]=4") == ([], dict(meta, page_number=7))


def test_newest_first_by_default(suite, many):
    key, ids = many
    assert [row["id"] for row in page(suite, key)[0]] == ids[::-1]


@pytest.mark.parametrize("query, count", [
    ("filter[connection_name][contains]=LINE", 23), ("filter%5Bconnection_name%5D%5Bcontains%5D=ine%2007", 1),
    ("filter[connection_name][contains]=%25%25%25", 0), ("filter[fqdn]=nowhere.example", 0)])
def test_filters(suite, many, query, count):
    rows, meta = page(suite, many[0], query)
    assert len(rows) == meta["total_results"] == count


@pytest.mark.parametrize("query, parameter", [
    ("sort=name", "sort"), ("page[size]=251", "page[size]"), ("page[size]=0", "page[size]"), ("page[number]=0", "page[number]"),
    ("page[number]=x", "page[number]"), ("filter[connection_name][contains]=ab", "filter[connection_name][contains]")])
def test_bad_queries(suite, query, parameter):
    errors(suite.call("GET", f"{CONNECTIONS}?{query}"), 400, [parameter])


# ---- FQDNs ----

def test_fqdns(suite):
    key = suite.make_key("--organization", "fqdns", "--scope", "admin")
    ids = [data(suite.call("POST", CONNECTIONS, {"connection_name": "x"}, key=key), 201)["id"] for _ in range(2)]
    made = []
    for i in range(6):
        body = {"connection_id": ids[i % 2], "fqdn": f"H{i}.example.com", "dns_record_type": "a" if i < 3 else "srv"}
        made.append(data(suite.call("POST", FQDNS, dict(body, **({"port": 5070} if i == 0 else {"port": None})), key=key), 201))
    assert [row["port"] for row in made] == [5070, 5060, 5060, None, None, None]
    assert {row["record_type"] for row in made} == {"fqdn"}
    assert page(suite, key, where=FQDNS)[0] == made[::-1]
    rows, meta = page(suite, key, "page[size]=4&page[number]=2", FQDNS)
    assert rows == made[1::-1] and meta["total_results"] == 6
    for query, count in ((f"filter[connection_id]={ids[0]}", 3), ("filter[fqdn]=h1.example.com", 1), ("filter[port]=5060", 2),
                         ("filter[dns_record_type]=srv", 3), (f"filter[connection_id]={NOWHERE}", 0)):
        rows, meta = page(suite, key, query, FQDNS)
        assert len(rows) == meta["total_results"] == count, query
    rows, _ = page(suite, key, "filter[fqdn]=H1.example.com")
    assert [row["id"] for row in rows] == [ids[1]]
    stranger = suite.make_key("--organization", "fqdn-strangers", "--scope", "admin")
    assert page(suite, stranger, f"filter[connection_id]={ids[0]}", FQDNS)[0] == []
    where = f"{FQDNS}/{made[0]['id']}"
    errors(suite.call("GET", where, key=stranger), 404)
    moved = data(suite.call("PATCH", where, {"connection_id": ids[1], "fqdn": "new.example.com"}, key=key))
    assert (moved["connection_id"], moved["fqdn"], moved["port"]) == (ids[1], "new.example.com", 5070)
    assert data(suite.call("DELETE", where, key=key)) == moved
    errors(suite.call("GET", where, key=key), 404)


@pytest.mark.parametrize("change, pointers", [
    ({"fqdn": "2001:db8::1"}, ["/fqdn"]), ({"fqdn": "x" * 64 + ".example"}, ["/fqdn"]), ({"dns_record_type": None}, ["/dns_record_type"]),
    ({"dns_record_type": "srv", "port": 1}, ["/port"]), ({"port": 0}, ["/port"]), ({"connection_id": NOWHERE}, ["/connection_id"])])
def test_fqdn_refused(suite, connection, change, pointers):
    body = {"connection_id": connection, "fqdn": "a.example", "dns_record_type": "a"}
    errors(suite.call("POST", FQDNS, dict(body, **change)), 422, pointers)


def test_fqdn_taken(suite, connection):
    body = {"connection_id": connection, "fqdn": "a.example", "dns_record_type": "a", "port": 5060}
    data(suite.call("POST", FQDNS, body), 201)
    errors(suite.call("POST", FQDNS, body), 422, ["/fqdn"], "10012")
    data(suite.call("POST", FQDNS, dict(body, port=5061)), 201)
