"""POST /v1/sip/trunks/asterisk/...: what res_config_curl sends, byte for byte, and what it gets, read by
its own rules (written here once more): each line is a row, cut at & and =, decoded afterwards."""

import re
import urllib.parse

import pytest
from sip import REALM, Trunk, form_client, ha1
from suite import ROOT

PATH = "/v1/sip/trunks/asterisk/"
ALL = "id%20LIKE=%25"


@pytest.fixture(scope="module")
def server(suite):
    return form_client(suite)


def post(client, call, form):
    answer = client.call("POST", PATH + call, raw=form.encode(), headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status == 200, answer.body
    assert answer.headers["Content-Type"].split(";")[0] == "text/plain"
    return answer.body


def row_of(line):
    row = []
    for pair in line.split("&"):
        name, _, value = pair.partition("=")
        row.append((urllib.parse.unquote(name), urllib.parse.unquote(value)))
    return dict(row)


def one(body):
    """realtime_curl: the first line; an empty one is no row."""
    line = body.decode("ascii").split("\r")[0].split("\n")[0]
    return row_of(line) if line else None


def many(body):
    """realtime_multi_curl: a row for each line that is not empty."""
    return [row_of(line) for line in body.decode("ascii").replace("\r", "\n").split("\n") if line]


def find(rows, ident):
    return [row for row in rows if row["id"] == ident]


def quote(text):
    return urllib.parse.quote(text, safe="")


def test_auths(suite, server):
    trunk = Trunk(suite)
    trunk.user("ast-one", "correct horse")
    digests = {name: ha1("ast-one", "correct horse", name) for name in ("MD5", "SHA-256", "SHA-512-256")}
    line = ("id=ast-one&auth_type=md5&username=ast-one&realm={}&md5_cred={}&password_digest="
            "MD5%3A{}%2CSHA-256%3A{}%2CSHA-512-256%3A{}\n").format(REALM, digests["MD5"], *digests.values()).encode()
    assert post(server, "ps_auths/single", "id=ast-one") == line
    assert line in post(server, "ps_auths/multi", ALL)
    assert all(len(value) <= 255 for value in one(line).values())


def test_endpoints_and_aors(suite, server):
    trunk = Trunk(suite)
    trunk.user("ast-two", "correct horse")
    trunk.source("198.18.40.0/24")
    assert post(server, "ps_endpoints/single", "id=ast-two") == (
        f"id=ast-two&auth=ast-two&aors=ast-two&identify_by=username%2Cauth_username&context=trunks&accountcode={trunk.uuid}"
        "&allow=%21all%2Culaw%2Calaw\n").encode()
    assert post(server, "ps_aors/single", "id=ast-two") == b"id=ast-two&max_contacts=1&remove_existing=yes\n"
    assert post(server, "ps_endpoint_id_ips/single", "id=198.18.40.0%2F24") == (
        f"id=198.18.40.0%2F24&endpoint={trunk.uuid}&match=198.18.40.0%2F24\n").encode()
    # What is known by its address has no auth: it must be known by nothing else.
    assert post(server, "ps_endpoints/single", f"id={trunk.uuid}") == (
        f"id={trunk.uuid}&identify_by=ip&context=trunks&accountcode={trunk.uuid}&allow=%21all%2Culaw%2Calaw\n").encode()
    for row in many(post(server, "ps_endpoints/multi", ALL)):
        assert row["identify_by"] == ("username,auth_username" if "auth" in row else "ip")
    assert one(post(server, "ps_aors/single", f"id={trunk.uuid}")) is None


def test_identify_rows_have_endpoints(suite, server):
    trunk = Trunk(suite)
    trunk.source("198.18.41.7")
    rows = many(post(server, "ps_endpoint_id_ips/multi", ALL))
    assert find(rows, "198.18.41.7/32") == [{"id": "198.18.41.7/32", "endpoint": trunk.uuid, "match": "198.18.41.7/32"}]
    endpoints = {row["id"] for row in many(post(server, "ps_endpoints/multi", ALL))}
    assert {row["endpoint"] for row in rows} <= endpoints
    assert many(post(server, "ps_endpoint_id_ips/multi", f"endpoint={trunk.uuid}")) == find(rows, "198.18.41.7/32")


@pytest.mark.parametrize("user", ["a&b=c", "jürgen", "50%", "x_y", "semi;colon"])
def test_names_are_encoded(suite, server, user):
    Trunk(suite).user(user, "correct horse")
    row = one(post(server, "ps_auths/single", f"id={quote(user)}"))
    assert row["id"] == row["username"] == user and row["md5_cred"] == ha1(user, "correct horse")


def test_nothing_is_an_empty_body(suite, server):
    trunk = Trunk(suite)
    trunk.user("ast-off", "correct horse", enabled=False)
    trunk.user("ast-old", "correct horse", expires_at="2020-01-01T00:00:00Z")
    trunk.user("ast-on", "correct horse")
    for table in ("ps_auths", "ps_endpoints", "ps_aors"):
        for form in ("id=ast-nobody", "id=AST-ON", "id=ast-off", "id=ast-old", "id=ast-on&mailboxes=x", "id%20%3E=a",
                     f"id={trunk.uuid}", "id=ast-on&id%20LIKE=b%25", "id%20LIKE=ast-o_f%25", "%zz=1"):
            assert post(server, f"{table}/single", form) == b"", (table, form)
        assert not {row["id"] for row in many(post(server, f"{table}/multi", ALL))} & {"ast-off", "ast-old"}
        assert one(post(server, f"{table}/single", "id=ast-on"))["id"] == "ast-on"
    assert post(server, "ps_contacts/multi", ALL) == b"" and post(server, "ps_auths/static", ALL) == b""


def test_like(suite, server):
    trunk = Trunk(suite)
    for user in ("like-a1", "like-a2", "like-b%"):
        trunk.user(user, "correct horse")

    def ids(pattern):
        return sorted(row["id"] for row in many(post(server, "ps_aors/multi", f"id%20LIKE={quote(pattern)}"))
                      if row["id"].startswith("like-"))

    assert ids("like-%") == ["like-a1", "like-a2", "like-b%"] and ids("like-a_") == ["like-a1", "like-a2"]
    assert ids("%2") == ["like-a2"] and ids("like-b\\%") == ["like-b%"] and ids("like-a\\%") == []
    assert ids("%a%1%") == ["like-a1"] and ids("") == []


def test_policy_all_is_nowhere(suite, server):
    """Asterisk does not tell where a call comes from."""
    trunk = Trunk(suite, policy="all")
    trunk.user("ast-both", "correct horse")
    trunk.source("198.18.42.0/24")
    for table in ("ps_auths", "ps_endpoints", "ps_aors", "ps_endpoint_id_ips"):
        body = post(server, f"{table}/multi", ALL)
        assert b"ast-both" not in body and b"198.18.42" not in body and trunk.uuid.encode() not in body
        for ident in ("ast-both", trunk.uuid, "198.18.42.0%2F24"):
            assert post(server, f"{table}/single", f"id={ident}") == b""


def test_nothing_can_be_written(suite, server):
    Trunk(suite).user("ast-firm", "correct horse")
    before = post(server, "ps_auths/multi", ALL)
    for call, form in (("require", "id=char%3A80&md5_cred=char%3A40"), ("update?id=ast-firm", "md5_cred=0"),
                       ("store", "id=ast-new&md5_cred=0"), ("destroy", "id=ast-firm")):
        assert post(server, f"ps_auths/{call}", form) == b"0"
    assert post(server, "ps_auths/multi", ALL) == before


def test_every_failure_is_empty(suite):
    Trunk(suite).user("ast-default", "correct horse")
    for key in (None, "wrong", suite.make_key("--organization", "default", "--scope", "read"),
                suite.make_key("--organization", "other", "--scope", "sip")):
        client = form_client(suite)
        client.key = key
        for call in ("single", "multi"):
            assert post(client, f"ps_auths/{call}", "id=ast-default") == b""


def test_an_endpoints_user_is_not_another_organizations_source(suite):
    """Each sees its own: no row of a list belongs to others."""
    other = form_client(suite, "--organization", "other")
    Trunk(suite).source("198.18.43.0/24")
    assert post(other, "ps_endpoint_id_ips/multi", ALL) == b""
    assert post(other, "ps_endpoints/multi", ALL) == b""


def test_the_configuration_that_we_give(server):
    """deploy/asterisk: every table that it names is answered, and its traps are closed."""
    def lines(name):
        return [line.split(";")[0].strip() for line in (ROOT / "deploy/asterisk" / name).read_text().splitlines()]

    tables = dict(re.findall(r"^(ps_\w+) => curl,http://[^/]+(/\S+)$", "\n".join(lines("extconfig.conf")), re.M))
    assert set(tables) == {"ps_endpoints", "ps_auths", "ps_aors", "ps_endpoint_id_ips"}
    for table, path in tables.items():
        assert path == PATH + table
        assert post(server, f"{table}/require", "id=char%3A80") == b"0"
        assert any(line.endswith(f"realtime,{table}") for line in lines("sorcery.conf"))
    order = [line.split(",")[0] for line in lines("sorcery.conf") if re.match("(endpoint|aor)=", line)]
    assert order == ["endpoint=config", "endpoint=realtime", "aor=config", "aor=realtime"], "a user named as our own endpoint is not it"
    for section in re.split(r"^\[\w+(?:-\w+)?\]$", "\n".join(lines("pjsip.conf")), flags=re.M):
        assert "type=endpoint" not in section or "identify_by=ip" in section, "nobody is taken for an endpoint of ours by his name"
    settings = dict(line.split("=", 1) for line in lines("pjsip.conf") if "=" in line)
    assert settings["default_realm"] == REALM and "anonymous" not in settings["endpoint_identifier_order"]
    curl = dict(line.split("=", 1) for line in lines("res_curl.conf") if "=" in line)
    assert int(curl["httptimeout"]) <= 2000 and {"401", "404", "500", "503"} <= set(curl["failurecodes"].split(","))
