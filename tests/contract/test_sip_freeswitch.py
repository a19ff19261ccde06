"""POST /v1/sip/trunks/freeswitch: what mod_xml_curl sends, byte for byte, and what it gets. The answers
are read again by another XML parser; what FreeSWITCH would take for an open door is looked for in all."""

import re
import urllib.parse
import xml.etree.ElementTree as ElementTree

import pytest
from sip import REALM, Trunk, form_client, ha1
from suite import ROOT, basic

PATH = "/v1/sip/trunks/freeswitch"
NOT_FOUND = (b'<document type="freeswitch/xml"><section name="result"><result status="not found"/></section></document>')
RESPONSE = "8ca523f5e9506fed4657c9700eebdbec"  # of MD5: FreeSWITCH verifies it, we only see how long it is

# As mod_xml_curl writes it: the first five, the event's own, what sofia adds for a digest, and a
# header of the caller's.
DIGEST = ("hostname=fs1&section=directory&tag_name=domain&key_name=name&key_value={domain}"
          "&Event-Name=REQUEST_PARAMS&Core-UUID=0f5a7d5b-3b52-4d4e-8f7c-6d3c5f2e9a10&FreeSWITCH-Hostname=fs1"
          "&FreeSWITCH-Switchname=fs1&FreeSWITCH-IPv4=198.51.100.5&FreeSWITCH-IPv6=%3A%3A1"
          "&Event-Date-Local=2026-11-23%2008%3A00%3A00&Event-Date-GMT=Mon,%2023%20Nov%202026%2008%3A00%3A00%20GMT"
          "&Event-Date-Timestamp=1795420800000000&Event-Calling-File=sofia_reg.c&Event-Calling-Function=sofia_reg_parse_auth"
          "&Event-Calling-Line-Number=2850&Event-Sequence=512&action=sip_auth&sip_profile=internal"
          "&sip_user_agent=Office%20PBX/1.0&sip_auth_username={user}&sip_auth_realm={realm}"
          "&sip_auth_nonce=7b1f2a54-9f0e-4f5a-b9f3-51d1f0f7f2a3&sip_auth_uri=sip%3A%2B4930123456%40198.51.100.5"
          "&sip_contact_user={user}&sip_contact_host=203.0.113.10&sip_to_user=%2B4930123456&sip_to_host=198.51.100.5"
          "&sip_via_protocol=udp&sip_from_user={user}&sip_from_host=198.51.100.5&sip_call_id=a84b4c76e66710%40pbx"
          "&sip_request_user=%2B4930123456&sip_request_host=198.51.100.5&sip_auth_qop=auth&sip_auth_cnonce=0a4f113b"
          "&sip_auth_nc=00000001&sip_auth_response={response}&sip_auth_method=INVITE&client_port=5060&key=id&user={user}"
          "&domain={domain}&ip={ip}&X-Account=a%26b%3D%3Cc%3E")
PLAIN = ("hostname=fs1&section=directory&tag_name=domain&key_name=name&key_value={domain}&Event-Name=REQUEST_PARAMS"
         "&action=user_call&key=id&user={user}&domain={domain}")
NETWORKS = ("hostname=fs1&section=directory&tag_name=domain&key_name=name&key_value={domain}&Event-Name=GENERAL"
            "&domain={domain}&purpose=network-list")
GATEWAYS = ("hostname=fs1&section=directory&tag_name=domain&key_name=name&key_value={domain}"
            "&Event-Name=REQUEST_PARAMS&purpose=gateways&profile=external")
ACL = ("hostname=fs1&section=configuration&tag_name=configuration&key_name=name&key_value=acl.conf"
       "&Event-Name=REQUEST_PARAMS&Event-Calling-File=switch_core.c")

USER = ('<document type="freeswitch/xml"><section name="directory"><domain name="{domain}"><groups><group name="trunks">'
        '<users><user id="{user}"{cidr}><params><param name="a1-hash" value="{ha1}"/>'
        '<param name="allow-empty-password" value="false"/>{acl}</params><variables>'
        '<variable name="linekeeper_subject" value="{trunk}"/><variable name="linekeeper_auth_id" value="{method}"/>'
        '</variables></user></users></group></groups></domain></section></document>')


@pytest.fixture(scope="module")
def server(suite):
    return form_client(suite)


def post(client, form, path=PATH):
    answer = client.call("POST", path, raw=form.encode(), headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status == 200, answer.body
    assert answer.headers["Content-Type"].split(";")[0] == "text/xml"
    look_for_open_doors(answer.body)
    return answer.body


def look_for_open_doors(body):
    """To FreeSWITCH a user without a hash needs no password, unless it says that none is no good."""
    for user in ElementTree.fromstring(body).iter("user"):
        params = {param.get("name"): param.get("value") for param in user.find("params")}
        assert re.fullmatch("[0-9a-f]{32}|[0-9a-f]{64}", params["a1-hash"]), body
        assert params["allow-empty-password"] == "false"
        assert "password" not in params and user.get("id")


def digest(user, response=RESPONSE, ip="203.0.113.10", domain=REALM, realm=REALM):
    quoted = urllib.parse.quote(user, safe="")
    return DIGEST.format(user=quoted, response=response, ip=ip, domain=urllib.parse.quote(domain, safe=""), realm=realm)


def shown(user, trunk, method, secret, domain=REALM, cidr="", acl=""):
    return USER.format(user=user, trunk=trunk.uuid, method=method, ha1=secret, domain=domain, cidr=cidr, acl=acl).encode()


def test_a_digest(suite, server):
    trunk = Trunk(suite)
    method = trunk.user("fs-one", "correct horse")
    expected = shown("fs-one", trunk, method, ha1("fs-one", "correct horse"))
    assert post(server, digest("fs-one")) == expected
    # 64 digits: SHA-256. None at all (no digest yet): MD5.
    assert post(server, digest("fs-one", response="ab" * 32)) == shown(
        "fs-one", trunk, method, ha1("fs-one", "correct horse", "SHA-256"))
    assert post(server, digest("fs-one", response="")) == expected
    assert post(server, digest("fs-one", ip="")) == expected
    assert post(server, PLAIN.format(user="fs-one", domain=REALM)) == expected
    # The domain is FreeSWITCH's own business, as long as the realm is ours; it goes back as it came.
    assert post(server, digest("fs-one", domain="sip.a&b.example")) == shown(
        "fs-one", trunk, method, ha1("fs-one", "correct horse"), domain="sip.a&amp;b.example")


def test_by_basic(suite, server):
    trunk = Trunk(suite)
    method = trunk.user("fs-basic", "correct horse")
    answer = server.call("POST", PATH, raw=digest("fs-basic").encode(), key="", headers={
        "Authorization": basic("any", server.key), "Content-Type": "application/x-www-form-urlencoded"})
    assert answer.body == shown("fs-basic", trunk, method, ha1("fs-basic", "correct horse"))


@pytest.mark.parametrize("user", ["a&b<c>'d'", "jürgen", "über/ü?=&#x", "%41"])
def test_names_are_escaped(suite, server, user):
    trunk = Trunk(suite)
    trunk.user(user, "correct horse")
    found = ElementTree.fromstring(post(server, digest(user))).find(".//user")
    assert found.get("id") == user
    assert found.find("params/param[@name='a1-hash']").get("value") == ha1(user, "correct horse")


def test_what_is_not_found(suite, server):
    trunk = Trunk(suite)
    off = trunk.user("fs-off", "correct horse", enabled=False)
    assert off
    trunk.user("fs-expired", "correct horse", expires_at="2020-01-01T00:00:00Z")
    trunk.user("fs-known", "correct horse")
    for form in [digest("fs-nobody"), digest("FS-KNOWN"), digest("fs-off"), digest("fs-expired"),
                 digest("fs-known", realm="elsewhere"), digest("fs-known", response="ab" * 20),
                 digest("fs-known", ip="not-an-address"), digest("fs-known", ip="203.0.113.0/24"),
                 digest("fs-known").replace("&user=fs-known", "&user=fs-off"),
                 digest("fs-known").replace("tag_name=domain", "tag_name=user"),
                 digest("fs-known").replace("section=directory", "section=dialplan"),
                 digest("fs-known", domain="a\x01b"), digest("fs-known\x01"),
                 PLAIN.format(user="fs-known", domain="elsewhere"), PLAIN.format(user="", domain=REALM),
                 NETWORKS.format(domain="elsewhere"), GATEWAYS.format(domain="elsewhere"),
                 ACL.replace("acl.conf", "sofia.conf"), "", "section=directory", "%zz", "a=b&a=c"]:
        assert post(server, form) == NOT_FOUND, form
    assert post(server, digest("fs-known")) != NOT_FOUND


def test_every_failure_is_not_found(suite):
    other = form_client(suite, "--organization", "other")
    Trunk(suite).user("fs-default", "correct horse")
    for key in (None, "wrong", suite.make_key("--organization", "default", "--scope", "read"), other.key):
        client = form_client(suite)
        client.key = key
        assert post(client, digest("fs-default")) == NOT_FOUND


def test_policy_all(suite, server):
    trunk = Trunk(suite, policy="all")
    method = trunk.user("fs-both", "correct horse")
    trunk.source("198.18.7.0/24")
    assert post(server, digest("fs-both", ip="198.18.7.9")) == shown(
        "fs-both", trunk, method, ha1("fs-both", "correct horse"), cidr=' cidr="198.18.7.9/32"',
        acl='<param name="auth-acl" value="198.18.7.9/32"/>')
    for ip in ("198.18.8.9", "", "::1"):
        assert post(server, digest("fs-both", ip=ip)) == NOT_FOUND
    assert post(server, PLAIN.format(user="fs-both", domain=REALM)) == NOT_FOUND
    for form in (ACL, NETWORKS.format(domain=REALM)):
        assert b"198.18.7." not in post(server, form)


def test_lists(suite, server):
    trunk, hidden = Trunk(suite), Trunk(suite)
    one, range6 = trunk.source("198.18.20.1"), trunk.source("2001:db8:20::/48")
    hidden.source("198.18.21.0/24", enabled=False)
    hidden.source("198.18.22.0/24", expires_at="2020-01-01T00:00:00Z")
    acl = post(server, ACL)
    assert acl.startswith(b'<document type="freeswitch/xml"><section name="configuration"><configuration name="acl.conf">'
                          b'<network-lists><list name="trunks" default="deny"><node type="allow" cidr="')
    assert acl.endswith(b'"/></list></network-lists></configuration></section></document>')
    nodes = [node.attrib for node in ElementTree.fromstring(acl).iter("node")]
    assert {"type": "allow", "cidr": "198.18.20.1/32"} in nodes and {"type": "allow", "cidr": "2001:db8:20::/48"} in nodes
    assert not {"198.18.21.0/24", "198.18.22.0/24"} & {node["cidr"] for node in nodes}
    users = list(ElementTree.fromstring(post(server, NETWORKS.format(domain=REALM))).iter("user"))
    ours = {user.get("cidr"): user for user in users if user.get("id") == trunk.uuid}
    assert set(ours) == {"198.18.20.1/32", "2001:db8:20::/48"} and {user.get("cidr") for user in users} == {n["cidr"] for n in nodes}
    for cidr, method in (("198.18.20.1/32", one), ("2001:db8:20::/48", range6)):
        variables = {v.get("name"): v.get("value") for v in ours[cidr].find("variables")}
        assert variables == {"linekeeper_subject": trunk.uuid, "linekeeper_auth_id": method}
    # What stands for their hash is nobody's: another one each time.
    again = {u.get("cidr"): u for u in ElementTree.fromstring(post(server, NETWORKS.format(domain=REALM))).iter("user")}
    assert (again["198.18.20.1/32"].find("params/param[@name='a1-hash']").get("value")
            != ours["198.18.20.1/32"].find("params/param[@name='a1-hash']").get("value"))


def test_gateways(server):
    assert post(server, GATEWAYS.format(domain=REALM)) == (
        b'<document type="freeswitch/xml"><section name="directory"><domain name="linekeeper"></domain></section></document>')


def test_an_operator_sees_all_and_whose(suite):
    operator = form_client(suite, "--organization", "default", "--operator")
    trunk = Trunk(suite, client=None)
    trunk.user("fs-whose", "correct horse")
    found = ElementTree.fromstring(post(operator, digest("fs-whose"))).findall(".//variable")
    assert [variable.get("name") for variable in found] == [
        "linekeeper_subject", "linekeeper_auth_id", "linekeeper_organization_id"]


def test_rotation_serves_the_new_one(suite, server):
    trunk = Trunk(suite)
    method = trunk.user("fs-turn", "correct horse")
    rotated = suite.call("POST", f"{trunk.methods}/{method}/rotate", {"password": "battery staple"})
    assert rotated.status == 200
    assert post(server, digest("fs-turn")) == shown("fs-turn", trunk, method, ha1("fs-turn", "battery staple"))


def test_guessing_names_locks_the_source_out(suite, server):
    trunk = Trunk(suite)
    method = trunk.user("fs-safe", "correct horse")
    expected = shown("fs-safe", trunk, method, ha1("fs-safe", "correct horse"))
    assert post(server, digest("fs-safe", ip="192.0.2.66")) == expected
    for number in range(2000):
        post(server, digest(f"fs-guess-{number}", ip="192.0.2.66"))
        if number % 20 == 19 and post(server, digest("fs-safe", ip="192.0.2.66")) == NOT_FOUND:
            break
    else:
        raise AssertionError("a source may guess without end")
    assert post(server, digest("fs-safe", ip="192.0.2.67")) == expected


def test_the_configuration_that_we_give(server):
    """deploy/freeswitch: its traps are closed, and it asks for what there is."""
    folder = ROOT / "deploy/freeswitch"
    files = {path.stem: ElementTree.parse(path) for path in folder.glob("*.xml")}
    profile = {param.get("name"): param.get("value") for param in files["trunks"].iter("param")}
    assert profile["challenge-realm"] == REALM and profile["auth-calls"] == "true" and profile["apply-inbound-acl"] == "trunks"
    assert profile["accept-blind-auth"] == profile["accept-blind-reg"] == "false"
    assert {profile[name] for name in ("auth-messages", "auth-subscriptions", "inbound-reg-force-matching-username")} == {"true"}
    assert profile["rfc8760-auth-algorithms"] in ("MD5", "SHA-256") and "apply-proxy-acl" not in profile
    curl = {param.get("name"): param for param in files["xml_curl.conf"].iter("param")}
    assert curl["gateway-url"].get("value").endswith(PATH) and curl["enable-cacert-check"].get("value") == "true"
    assert int(curl["timeout"].get("value")) <= 2
    lists = {entry.get("name"): entry for entry in files["acl.conf"].iter("list")}
    assert set(lists) == {"trunks", "connections"}
    assert all(entry.get("default") == "deny" and not list(entry) for entry in lists.values())
    served = ElementTree.fromstring(post(server, ACL)).find(".//list")
    assert served.get("name") in lists
