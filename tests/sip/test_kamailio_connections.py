"""Connections through Kamailio with deploy/kamailio/kamailio.cfg: by user name, and by the addresses of their FQDNs with
what has to come beside them."""

import secrets

import pytest
from dns import Dns
from kamailio import CALL_ANSWER_MS, PATIENT, REALM, Kamailio, need
from sip_uac import Core, Uac
from suite import Suite, await_that

need()
TOKEN = "a-token-of-many-calls"


class World:
    def __init__(self, suite, core, kamailio):
        self.suite, self.core, self.kamailio = suite, core, kamailio

    def connect(self, fqdn=None, **auth):
        made = self.suite.call("POST", "/security/connections", {"connection_name": "pbx"})
        assert made.status == 200, made.body
        identity = made.json["id"]
        answer = self.suite.call("POST", f"/security/connections/{identity}/fqdn_authentication", auth)
        assert answer.status == 200, answer.body
        if fqdn is not None:
            answer = self.suite.call("POST", "/security/fqdns", {"connection_id": identity, "fqdn": fqdn, "dns_record_type": "a"})
            assert answer.status == 200, answer.body
        return identity

    def call(self, host, number="100", headers=()):
        """Its status, without a password."""
        with Uac(self.kamailio.port, host=host, headers=headers) as uac:
            return uac.ask("INVITE", f"sip:{number}@127.0.0.1:{self.kamailio.port}", f"connection-{secrets.token_hex(4)}", 1).status


@pytest.fixture(scope="module", name="world")
def fixture_world(tmp_path_factory):
    with Dns() as dns, Core() as core:
        dns.set("pbx.example.com", "A", ["127.0.0.80", "127.0.0.81"], ttl=3600)
        settings = {"LK_SIP_REALMS": REALM, "LK_DNS_SERVERS": dns.address, "LK_DNS_PRIVATE": "on"}
        with Suite(services=["fqdn-auth"], gateway_settings={"LK_CALL_ANSWER_MS": CALL_ANSWER_MS}, worker_settings=settings) as suite:
            key = suite.make_key("--organization", "default", "--scope", "sip")
            url = f"http://kamailio:{key}@127.0.0.1:{suite.port}"
            with Kamailio(tmp_path_factory.mktemp("sip"), url, core.uri, family="connections", defines=[PATIENT]) as kamailio:
                yield World(suite, core, kamailio)


def test_user_names(world):
    identity = world.connect(fqdn_outbound_authentication="credential-authentication", user_name="connection1", password="correct horse")
    world.core.requests.clear()
    for password, wanted in (("correct horse", 200), ("correct horses", 403)):
        with Uac(world.kamailio.port, "connection1", password) as uac:
            assert (uac.invite().status, uac.register().status) == (wanted, wanted)
    assert world.core.count() == 1 and world.core.requests[0].get("X-Linekeeper-Subject") == identity


def test_addresses(world):
    prefix = world.connect("pbx.example.com", fqdn_outbound_authentication="ip-authentication", tech_prefix="4711")
    token = world.connect("pbx.example.com", fqdn_outbound_authentication="ip-authentication", ip_authentication_method="token", ip_authentication_token=TOKEN)
    payer = world.connect("pbx.example.com", fqdn_outbound_authentication="ip-authentication", ip_authentication_method="p-charge-info",
                          p_charge_info="+13125550100")
    await_that(lambda: world.call("127.0.0.80", "471113125550100") == 200, 30, "the FQDN's addresses are known")
    world.core.requests.clear()
    for host, number, headers, wanted in (
            ("127.0.0.81", "471113125550100", [], prefix), ("127.0.0.81", "13125550100", [("X-Token", TOKEN)], token),
            ("127.0.0.80", "13125550100", [("P-Charge-Info", "<sip:+13125550100@example.com>;noa=2")], payer),
            ("127.0.0.80", "13125550100", [], None), ("127.0.0.80", "4712", [], None), ("127.0.0.80", "1", [("X-Token", TOKEN[:-1])], None),
            ("127.0.0.80", "1", [("X-Token", f"x&token={TOKEN}")], None), ("127.0.0.80", "1", [("P-Charge-Info", "<sip:1@example.com>")], None),
            ("127.0.0.82", "471113125550100", [], None), ("127.0.0.82", "1", [("X-Token", TOKEN)], None),
            # Two that match are nobody.
            ("127.0.0.80", "4711", [("X-Token", TOKEN)], None)):
        world.core.requests.clear()
        assert world.call(host, number, headers) == (407 if wanted is None else 200), (host, number, headers)
        assert [request.get("X-Linekeeper-Subject") for request in world.core.requests if request.method == "INVITE"] == ([wanted] if wanted else [])
        assert not any(request.get("X-Token") for request in world.core.requests)


def test_tokens_are_in_no_log(world, tmp_path):
    with Kamailio(tmp_path, "http://kamailio:key@127.0.0.1:9", world.core.uri, family="connections") as kamailio:
        assert World(world.suite, world.core, kamailio).call("127.0.0.80", headers=[("X-Token", TOKEN)]) == 503
        assert not kamailio.grep(TOKEN)
    assert not world.kamailio.grep(TOKEN) and TOKEN.encode() not in world.suite.logs()
