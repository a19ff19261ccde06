"""docs/api/trunks.md, authentication methods: every row and every rule."""

import datetime

import pytest
from trunk_dialect import (NOWHERE, check_failure, check_method, check_success, new_ip, new_user)


def path(trunk, *more):
    return "/".join(["/voip/trunk", trunk, "auth", *more])


def add(suite, trunk, **body):
    return check_success(suite.call("POST", path(trunk), body), 201)


def add_ip(suite, trunk, ip=None, **more):
    return add(suite, trunk, type="ip", ip=ip or new_ip(), **more)


def add_user(suite, trunk, username=None, **more):
    return add(suite, trunk, type="sipuser", username=username or new_user(),
               password="correct horse", **more)


def stamp(seconds):
    when = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


# ---- POST: what is taken ----

def test_create_ip(suite, trunk):
    ip = new_ip()
    method = add(suite, trunk, type="ip", ip=ip)
    check_method(method, created=True)
    assert (method["type"], method["ip"], method["username"], method["password"]) == ("ip", ip, None, None)
    assert (method["enabled"], method["label"], method["expires_at"], method["last_used_at"]) == (True, None, None, None)


def test_create_sipuser(suite, trunk):
    method = add(suite, trunk, type="sipuser", username="Office-PBX", password="correct horse",
                 label="Büro ☎", enabled=False, expires_at="2031-02-03T04:05:06Z")
    check_method(method, created=True)
    assert method["password"] == "********"
    assert (method["username"], method["ip"]) == ("Office-PBX", None)
    assert (method["label"], method["enabled"]) == ("Büro ☎", False)
    assert method["expires_at"].startswith("2031-02-03T04:05:06")


def test_documented_example_with_all_fields(suite, trunk):
    method = add(suite, trunk, ip="255.255.255.255", password="unused-words", type="ip", username="example")
    check_method(method, created=True)
    assert (method["ip"], method["username"], method["password"]) == ("255.255.255.255", "example", None)


def test_fields_of_the_other_type_are_echoed_and_claim_nothing(suite, trunk):
    user, ip = new_user(), new_ip()
    assert add_ip(suite, trunk, username=user)["username"] == user
    assert add_user(suite, trunk, user, ip=ip)["ip"] == ip  # the name was free
    add_ip(suite, suite.make_trunk(), ip)                   # and so was the address


@pytest.mark.parametrize("sent, stored", [
    ("203.0.113.77/28", "203.0.113.64/28"),
    ("203.0.113.5/32", "203.0.113.5"),
    ("::ffff:198.51.100.7", "198.51.100.7"),
    ("::ffff:198.51.100.130/121", "198.51.100.128/25"),
    ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
    ("2001:db8:5::7/48", "2001:db8:5::/48"),
    ("2001:db8:6::1/128", "2001:db8:6::1"),
])
def test_address_is_canonical(suite, trunk, sent, stored):
    assert add_ip(suite, trunk, sent)["ip"] == stored


@pytest.mark.parametrize("username", ["a", "A" * 64, "ü" * 64, "a@b.example", "+49.30-1"])
def test_username_taken(suite, trunk, username):
    assert add_user(suite, trunk, username)["username"] == username


@pytest.mark.parametrize("password", ["6bytes", "p" * 128, "é" * 64, "with blank and \" and \\"])
def test_password_taken(suite, trunk, password):
    method = add(suite, trunk, type="sipuser", username=new_user(), password=password)
    assert method["password"] == "********"


def test_unknown_and_read_only_keys_are_ignored(suite, trunk):
    method = add_ip(suite, trunk, uuid=NOWHERE, created_on="1999-01-01", updated_on=5,
                    last_used_at="yesterday", whatever={"deep": [1]})
    assert method["uuid"] != NOWHERE and method["created_on"] != "1999-01-01"


# ---- POST: what is refused ----

GOOD_USER = {"type": "sipuser", "username": "someone", "password": "correct horse"}


@pytest.mark.parametrize("body, fields", [
    ({}, ["type"]),
    ({"type": None}, ["type"]),
    ({"type": "IP", "ip": "192.0.2.1"}, ["type"]),
    ({"type": "sipUser"}, ["type"]),
    ({"type": 1}, ["type"]),
    ({"type": "ip"}, ["ip"]),
    ({"type": "ip", "ip": None}, ["ip"]),
    ({"type": "ip", "ip": ""}, ["ip"]),
    ({"type": "ip", "ip": 3221225985}, ["ip"]),
    ({"type": "ip", "ip": "010.0.0.1"}, ["ip"]),
    ({"type": "ip", "ip": "10.1"}, ["ip"]),
    ({"type": "ip", "ip": "192.0.2.256"}, ["ip"]),
    ({"type": "ip", "ip": "192.0.2.1/33"}, ["ip"]),
    ({"type": "ip", "ip": "192.0.2.1/08"}, ["ip"]),
    ({"type": "ip", "ip": "192.0.2.1 "}, ["ip"]),
    ({"type": "ip", "ip": "fe80::1%eth0"}, ["ip"]),
    ({"type": "ip", "ip": "2001:db8::/129"}, ["ip"]),
    ({"type": "ip", "ip": "pbx.example.com"}, ["ip"]),
    ({"type": "ip", "ip": "10.0.0.0/7"}, ["ip"]),
    ({"type": "ip", "ip": "0.0.0.0/0"}, ["ip"]),
    ({"type": "ip", "ip": "2400::/18"}, ["ip"]),
    ({"type": "ip", "ip": "::/0"}, ["ip"]),
    ({"type": "ip", "ip": "::ffff:10.0.0.0/103"}, ["ip"]),
    ({"type": "ip", "ip": "224.0.0.1"}, ["ip"]),
    ({"type": "ip", "ip": "239.255.0.0/16"}, ["ip"]),
    ({"type": "ip", "ip": "ff02::1"}, ["ip"]),
    ({"type": "ip", "ip": "0.0.0.0"}, ["ip"]),
    ({"type": "ip", "ip": "0.0.0.0/8"}, ["ip"]),
    ({"type": "ip", "ip": "::"}, ["ip"]),
    ({"type": "sipuser"}, ["username", "password"]),
    ({"type": "sipuser", "username": "someone"}, ["password"]),
    ({"type": "sipuser", "password": "correct horse"}, ["username"]),
    ({**GOOD_USER, "username": ""}, ["username"]),
    ({**GOOD_USER, "username": "u" * 65}, ["username"]),
    ({**GOOD_USER, "username": "a:b"}, ["username"]),
    ({**GOOD_USER, "username": 'a"b'}, ["username"]),
    ({**GOOD_USER, "username": "a\\b"}, ["username"]),
    ({**GOOD_USER, "username": "a b"}, ["username"]),
    ({**GOOD_USER, "username": "a\tb"}, ["username"]),
    ({**GOOD_USER, "username": "a\x7fb"}, ["username"]),
    ({**GOOD_USER, "password": "5byte"}, ["password"]),
    ({**GOOD_USER, "password": "p" * 129}, ["password"]),
    ({**GOOD_USER, "password": "é" * 65}, ["password"]),
    ({**GOOD_USER, "password": 12345678}, ["password"]),
    ({**GOOD_USER, "password": "********"}, ["password"]),
    ({**GOOD_USER, "label": "l" * 129}, ["label"]),
    ({**GOOD_USER, "enabled": "true"}, ["enabled"]),
    ({**GOOD_USER, "enabled": 1}, ["enabled"]),
    ({**GOOD_USER, "expires_at": "tomorrow"}, ["expires_at"]),
    ({**GOOD_USER, "expires_at": "2031-02-30T00:00:00Z"}, ["expires_at"]),
    ({**GOOD_USER, "expires_at": 1900000000}, ["expires_at"]),
    ({"type": "ip", "ip": "10.1", "enabled": "no", "label": 7}, ["ip", "enabled", "label"]),
])
def test_refused_with_every_faulty_field(suite, trunk, body, fields):
    check_failure(suite.call("POST", path(trunk), body), 400, fields)


@pytest.mark.parametrize("ip, status", [
    ("13.0.0.0/8", (201, 400)), ("12.16.0.0/15", (201, 400)), ("14.17.0.0/16", (201, 201)),
    ("2a00::/19", (201, 400)), ("2c00:2::/31", (201, 400)), ("2c0f:9::/32", (201, 201)),
])
def test_how_wide_a_range_may_be_depends_on_the_key(suite, ip, status):
    customer = suite.make_key("--organization", "wide ranges", "--scope", "admin")
    for key, wanted in ((customer, status[1]), (suite.admin, status[0])):
        trunk = suite.make_trunk(key=key)
        answer = suite.call("POST", path(trunk), {"type": "ip", "ip": ip}, key=key)
        assert answer.status == wanted, answer.body
        suite.call("DELETE", f"/voip/trunk/{trunk}", key=key)


# ---- what must be unique ----

def test_username_is_unique_over_all_trunks_without_case(suite, trunk):
    add_user(suite, trunk, "Unique-Name")
    for other in (trunk, suite.make_trunk()):
        for name in ("Unique-Name", "unique-NAME"):
            body = {"type": "sipuser", "username": name, "password": "correct horse"}
            check_failure(suite.call("POST", path(other), body), 409)


def test_case_folding_is_ascii_only(suite, trunk):
    add_user(suite, trunk, "ärger")
    add_user(suite, trunk, "Ärger")


def test_a_deleted_name_and_address_are_free_again(suite, trunk):
    user, ip = new_user(), new_ip()
    for method in (add_user(suite, trunk, user), add_ip(suite, trunk, ip)):
        assert suite.call("DELETE", path(trunk, method["uuid"])).status == 204
    other = suite.make_trunk()
    add_user(suite, other, user)
    add_ip(suite, other, ip)


@pytest.mark.parametrize("standing, asked", [
    ("172.16.5.0/24", "172.16.5.0/24"),
    ("172.17.5.0/24", "172.17.5.9"),
    ("172.18.5.9", "172.18.0.0/16"),
    ("172.19.5.0/24", "::ffff:172.19.5.1"),
    ("2001:db8:100::/48", "2001:db8:100:1::5"),
    ("2001:db8:200::5", "2001:db8:200::/40"),
])
def test_overlap_with_another_trunk(suite, trunk, standing, asked):
    add_ip(suite, trunk, standing)
    other = suite.make_trunk()
    check_failure(suite.call("POST", path(other), {"type": "ip", "ip": asked}), 409)


def test_neighbours_do_not_overlap(suite, trunk):
    other = suite.make_trunk()
    add_ip(suite, trunk, "172.20.4.0/24")
    add_ip(suite, other, "172.20.5.0/24")
    add_ip(suite, other, "172.20.3.255")


def test_on_one_trunk_ranges_nest_but_do_not_repeat(suite, trunk):
    add_ip(suite, trunk, "172.21.0.0/16")
    add_ip(suite, trunk, "172.21.7.0/24")
    add_ip(suite, trunk, "172.21.7.7")
    check_failure(suite.call("POST", path(trunk), {"type": "ip", "ip": "172.21.7.99/24"}), 409)


def test_overlap_counts_between_organizations(suite, trunk):
    add_ip(suite, trunk, "172.22.0.0/16")
    customer = suite.make_key("--organization", "overlap", "--scope", "admin")
    other = suite.make_trunk(key=customer)
    answer = suite.call("POST", path(other), {"type": "ip", "ip": "172.22.1.1"}, key=customer)
    check_failure(answer, 409)
    assert trunk.encode() not in answer.body  # whose it is stays theirs


def test_a_disabled_range_blocks_and_an_expired_one_does_not(suite, trunk):
    add_ip(suite, trunk, "172.23.1.0/24", enabled=False)
    add_ip(suite, trunk, "172.23.2.0/24", expires_at=stamp(-60))
    other = suite.make_trunk()
    check_failure(suite.call("POST", path(other), {"type": "ip", "ip": "172.23.1.1"}), 409)
    add_ip(suite, other, "172.23.2.1")


def test_an_expired_range_comes_back_only_where_it_is_free(suite, trunk):
    method = add_ip(suite, trunk, "172.23.3.0/24", expires_at=stamp(-60))
    add_ip(suite, suite.make_trunk(), "172.23.3.1")
    answer = suite.call("PATCH", path(trunk, method["uuid"]), {"expires_at": None})
    check_failure(answer, 409)


# ---- GET ----

def test_list_is_oldest_first(suite, trunk):
    made = [add_ip(suite, trunk)["uuid"], add_user(suite, trunk)["uuid"], add_ip(suite, trunk)["uuid"]]
    listed = check_success(suite.call("GET", path(trunk)), 200)
    assert [method["uuid"] for method in listed] == made
    for method in listed:
        check_method(method)


def test_list_of_nothing(suite, trunk):
    assert suite.call("GET", path(trunk)).body == b'{"result":[],"status_code":200,"status_message":"OK"}'


def test_read_one(suite, trunk):
    made = add_user(suite, trunk, label="one")
    read = check_success(suite.call("GET", path(trunk, made["uuid"])), 200)
    check_method(read)
    assert read.pop("updated_on") == read["created_on"]
    assert read == made


def test_uuid_in_any_case(suite, trunk):
    made = add_ip(suite, trunk)
    answer = suite.call("GET", path(trunk.upper(), made["uuid"].upper()))
    assert check_success(answer, 200)["uuid"] == made["uuid"]


def test_pages_neither_overlap_nor_skip(suite, trunk):
    made = [add_ip(suite, trunk)["uuid"] for _ in range(7)]
    seen = []
    for offset in range(0, 9, 3):
        page = check_success(suite.call("GET", f"{path(trunk)}?limit=3&offset={offset}"), 200)
        assert len(page) <= 3
        seen += [method["uuid"] for method in page]
    assert seen == made


@pytest.mark.parametrize("query, field", [
    ("limit=0", "limit"), ("limit=251", "limit"), ("limit=x", "limit"), ("limit=-1", "limit"),
    ("offset=-1", "offset"), ("offset=1.5", "offset"), ("limit=1&limit=2", "limit"),
])
def test_bad_page(suite, trunk, query, field):
    check_failure(suite.call("GET", f"{path(trunk)}?{query}"), 400, [field])


# ---- ids ----

@pytest.mark.parametrize("method, tail, unknown, malformed", [
    ("GET", [], 404, 404),
    ("POST", [], 404, 400),
    ("GET", [NOWHERE], 404, 400),
    ("DELETE", [NOWHERE], 404, 404),
    ("PATCH", [NOWHERE], 404, 404),
    ("POST", [NOWHERE, "rotate"], 404, 400),
])
def test_unknown_and_malformed_ids(suite, trunk, method, tail, unknown, malformed):
    bodies = {"POST": {"type": "ip", "ip": "192.0.2.99"}, "PATCH": {"label": "x"}}
    body = {"password": "battery staple"} if "rotate" in tail else bodies.get(method)
    check_failure(suite.call(method, path(NOWHERE, *tail), body), unknown)
    for bad in ("123", "zzzzzzzz-0000-7000-8000-000000000000", "%00", "a" * 37, "%ff"):
        check_failure(suite.call(method, path(bad, *tail), body), malformed)
    if tail:
        check_failure(suite.call(method, path(trunk, *tail), body), unknown)
        bad_tail = ["not-a-uuid", *tail[1:]]
        check_failure(suite.call(method, path(trunk, *bad_tail), body), malformed)


def test_a_method_of_another_trunk_is_unknown_here(suite, trunk):
    made = add_user(suite, trunk)["uuid"]
    other = suite.make_trunk()
    check_failure(suite.call("GET", path(other, made)), 404)
    check_failure(suite.call("PATCH", path(other, made), {"label": "x"}), 404)
    check_failure(suite.call("POST", path(other, made, "rotate"), {"password": "battery staple"}), 404)
    check_failure(suite.call("DELETE", path(other, made)), 404)
    check_success(suite.call("GET", path(trunk, made)), 200)


# ---- DELETE ----

def test_delete_has_no_body(suite, trunk):
    made = add_ip(suite, trunk)["uuid"]
    answer = suite.call("DELETE", path(trunk, made))
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["Content-Type"] is None
    assert answer.headers["Content-Length"] in (None, "0")
    check_failure(suite.call("DELETE", path(trunk, made)), 404)
    check_failure(suite.call("GET", path(trunk, made)), 404)


# ---- PATCH ----

def test_patch_changes_what_is_given(suite, trunk):
    made = add_ip(suite, trunk, label="before")
    ip = new_ip()
    for change in ({"label": "after"}, {"label": None}, {"enabled": False},
                   {"expires_at": "2032-01-01T00:00:00.000Z"}, {"expires_at": None}, {"ip": ip}, {}):
        changed = check_success(suite.call("PATCH", path(trunk, made["uuid"]), change), 200)
        check_method(changed)
        made.update(change, updated_on=changed["updated_on"])
        assert changed == made | {"updated_on": changed["updated_on"]}


def test_patch_of_a_password(suite, trunk):
    made = add_user(suite, trunk)
    changed = check_success(suite.call("PATCH", path(trunk, made["uuid"]), {"password": "battery staple"}), 200)
    assert changed["password"] == "********"


def test_patch_ignores_what_is_fixed(suite, trunk):
    made = add_user(suite, trunk)
    changed = check_success(suite.call("PATCH", path(trunk, made["uuid"]),
                                       {"username": "other", "type": "ip", "uuid": NOWHERE, "x": 1}), 200)
    assert (changed["username"], changed["type"]) == (made["username"], "sipuser")


def test_patch_refuses_a_field_of_the_other_type(suite, trunk):
    by_ip, by_user = add_ip(suite, trunk)["uuid"], add_user(suite, trunk)["uuid"]
    check_failure(suite.call("PATCH", path(trunk, by_ip), {"password": "battery staple"}), 400, ["password"])
    check_failure(suite.call("PATCH", path(trunk, by_user), {"ip": "192.0.2.1"}), 400, ["ip"])


@pytest.mark.parametrize("body, field", [
    ({"enabled": None}, "enabled"), ({"enabled": "no"}, "enabled"), ({"label": 5}, "label"),
    ({"ip": "10.1"}, "ip"), ({"ip": None}, "ip"), ({"ip": "10.0.0.0/7"}, "ip"), ({"ip": "224.0.0.1"}, "ip"),
    ({"expires_at": "soon"}, "expires_at"),
])
def test_patch_refuses_bad_values(suite, trunk, body, field):
    made = add_ip(suite, trunk)["uuid"]
    check_failure(suite.call("PATCH", path(trunk, made), body), 400, [field])


@pytest.mark.parametrize("password", [None, "short", "p" * 129, "*********"])
def test_patch_refuses_bad_passwords(suite, trunk, password):
    made = add_user(suite, trunk)["uuid"]
    check_failure(suite.call("PATCH", path(trunk, made), {"password": password}), 400, ["password"])


def test_patch_takes_the_mask_as_the_password_that_is_there(suite, trunk):
    made = add_user(suite, trunk)
    changed = check_success(suite.call("PATCH", path(trunk, made["uuid"]), {"password": made["password"], "label": "same"}), 200)
    assert (changed["password"], changed["label"]) == ("********", "same")


def test_patch_to_an_address_that_is_taken(suite, trunk):
    add_ip(suite, suite.make_trunk(), "172.24.0.0/16")
    made = add_ip(suite, trunk)
    check_failure(suite.call("PATCH", path(trunk, made["uuid"]), {"ip": "172.24.1.1"}), 409)
    assert check_success(suite.call("GET", path(trunk, made["uuid"])), 200)["ip"] == made["ip"]


# ---- rotate ----

@pytest.mark.parametrize("body", [
    {"password": "battery staple"}, {"password": "battery staple", "grace_seconds": 0},
    {"password": "battery staple", "grace_seconds": 604800},
])
def test_rotate(suite, trunk, body):
    made = add_user(suite, trunk)
    for _ in range(2):
        rotated = check_success(suite.call("POST", path(trunk, made["uuid"], "rotate"), body), 200)
        check_method(rotated)
        assert (rotated["uuid"], rotated["password"]) == (made["uuid"], "********")


@pytest.mark.parametrize("body, field", [
    ({}, "password"), ({"password": "short"}, "password"), ({"password": None}, "password"),
    ({"password": "********"}, "password"),
    ({"password": "battery staple", "grace_seconds": -1}, "grace_seconds"),
    ({"password": "battery staple", "grace_seconds": 604801}, "grace_seconds"),
    ({"password": "battery staple", "grace_seconds": "60"}, "grace_seconds"),
    ({"password": "battery staple", "grace_seconds": 1.5}, "grace_seconds"),
])
def test_rotate_refuses_bad_values(suite, trunk, body, field):
    made = add_user(suite, trunk)["uuid"]
    check_failure(suite.call("POST", path(trunk, made, "rotate"), body), 400, [field])


def test_rotate_is_for_sipusers(suite, trunk):
    made = add_ip(suite, trunk)["uuid"]
    check_failure(suite.call("POST", path(trunk, made, "rotate"), {"password": "battery staple"}), 400)
