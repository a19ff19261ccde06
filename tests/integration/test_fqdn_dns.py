"""Connections that are known by their addresses: what DNS says of their FQDNs, and what it does not."""

import concurrent.futures
import signal

import dns as bad
from dns import Dns, record
from suite import Client, Suite, await_that

SOURCE = "/v1/sip/connections/source"
QUICK = {"LK_DNS_TTL_MIN_SECONDS": "1", "LK_DNS_TIMEOUT_MS": "200"}
PREFIXES = iter(range(1000, 10000))


def begin(dns, workers=1, **settings):
    return Suite(services=["fqdn-auth"], workers=workers, worker_settings={"LK_DNS_SERVERS": dns.address} | settings)


def connect(suite, fqdns=(), kind="a", **auth):
    """A connection with these FQDNs; returns its id and its tech prefix."""
    made = suite.call("POST", "/security/connections", {"connection_name": "pbx"})
    assert made.status == 200, made.body
    prefix = str(next(PREFIXES))
    auth = auth or {"tech_prefix": prefix}
    set_auth(suite, made.json["id"], **{"fqdn_outbound_authentication": "ip-authentication"} | auth)
    for fqdn in fqdns:
        add_fqdn(suite, made.json["id"], fqdn, kind)
    return made.json["id"], prefix


def set_auth(suite, connection, **auth):
    answer = suite.call("POST", f"/security/connections/{connection}/fqdn_authentication", auth)
    assert answer.status == 200, answer.body


def add_fqdn(suite, connection, fqdn, kind="a"):
    answer = suite.call("POST", "/security/fqdns", {"connection_id": connection, "fqdn": fqdn, "dns_record_type": kind})
    assert answer.status == 200, answer.body
    return answer.json["id"]


def ask(suite, ip, **call):
    query = "&".join(f"{name}={value}" for name, value in {"ip": ip, **call}.items())
    return suite.call("GET", f"{SOURCE}?{query}")


def who(suite, ip, **call):
    """Whose call it is, or why nobody's."""
    answer = ask(suite, ip, **call)
    if answer.status == 200:
        assert answer.json["group"] == 2 and answer.json["auth_id"] == answer.json["subject"]
        return answer.json["subject"]
    assert answer.status in (403, 404), answer.body
    reason = answer.json["errors"][0]["meta"]["reason"]
    assert (answer.status == 404) == (reason == "unknown_source")
    return reason


def await_who(suite, expected, ip, seconds=30, **call):
    await_that(lambda: who(suite, ip, **call) == expected, seconds, f"{ip} is {expected}'s")


def test_each_method():
    with Dns() as dns:
        dns.set("pbx.example.com", "A", ["9.9.9.9"], ttl=3600)
        with begin(dns) as suite:
            office, prefix = connect(suite, ["pbx.example.com"])
            tokens, _ = connect(suite, ["pbx.example.com"], ip_authentication_method="token",
                                ip_authentication_token="a-token-of-calls")
            payers = [connect(suite, ["pbx.example.com"], ip_authentication_method="p-charge-info",
                              p_charge_info=f"+1312555010{i}")[0] for i in range(2)]
            connect(suite, ["user.example.com"], fqdn_outbound_authentication="credential-authentication")
            dns.set("user.example.com", "A", ["9.9.9.10"], ttl=3600)
            await_who(suite, office, "9.9.9.9", called=prefix + "13125550100")
            assert who(suite, "9.9.9.9", called=f"sip:{prefix}1@carrier.example") == office
            assert who(suite, "9.9.9.9", called=f"%2B{prefix}1") != office
            assert who(suite, "9.9.9.9", token="a-token-of-calls") == tokens
            assert who(suite, "9.9.9.9", p_charge_info="%3Csip:%2B13125550101@x%3E;noa=2") == payers[1]
            # The source port is nobody's business.
            assert who(suite, "9.9.9.9", called=prefix, port=40123, transport="udp") == office
            # What is wrong is told, and where there is nothing to be told, that.
            assert who(suite, "9.9.9.9", called="0") in ("tech_prefix_mismatch", "token_mismatch")
            assert who(suite, "9.9.9.9") in ("tech_prefix_mismatch", "token_mismatch")
            assert who(suite, "9.9.9.8", called=prefix) == "unknown_source"
            await_who(suite, "password_needed", "9.9.9.10", called=prefix)
            # Two that match are none.
            assert who(suite, "9.9.9.9", called=prefix, token="a-token-of-calls") == "ambiguous_source"
            set_auth(suite, payers[0], fqdn_outbound_authentication="ip-authentication",
                     ip_authentication_method="p-charge-info", p_charge_info="+13125550101")
            assert who(suite, "9.9.9.9", p_charge_info="%2B13125550101") == "ambiguous_source"
            # No address suffices alone: lists have none.
            acl = suite.call("GET", "/v1/sip/connections/acl?format=json")
            assert acl.status == 200 and b"9.9.9" not in acl.body, acl.body
            # What is switched off or deleted is so at once, and a call asks nobody.
            asked = len(dns.asked)
            for _ in range(50):
                assert who(suite, "9.9.9.9", called=prefix) == office
            assert len(dns.asked) == asked
            suite.call("PUT", f"/security/connections/{office}", {"active": False})
            assert who(suite, "9.9.9.9", called=prefix) == "disabled"
            suite.call("PUT", f"/security/connections/{office}", {"active": True})
            assert who(suite, "9.9.9.9", called=prefix) == office
            suite.call("DELETE", f"/security/connections/{office}")
            assert who(suite, "9.9.9.9", called=prefix) != office
            assert b"a-token-of-calls" not in suite.logs()


def test_all_kinds_of_records():
    with Dns() as dns:
        dns.set("both.example.com", "A", ["9.9.1.1", "9.9.1.2"])
        dns.set("both.example.com", "AAAA", ["2620:fe::9"])
        for i in range(8):
            dns.set(f"alias{i}.example.com", "CNAME", [f"alias{i + 1}.example.com"])
            dns.set(f"longer{i}.example.com", "CNAME", [f"longer{i + 1}.example.com"])
        dns.set("alias8.example.com", "A", ["9.9.2.1"])
        dns.set("longer8.example.com", "CNAME", ["longer9.example.com"])
        dns.set("longer9.example.com", "A", ["9.9.2.2"])
        dns.set("circle.example.com", "CNAME", ["circle2.example.com"])
        dns.set("circle2.example.com", "CNAME", ["circle.example.com"])
        dns.set("crowd.example.com", "A", [f"9.9.3.{i}" for i in range(1, 33)])  # over TCP
        dns.set("_sip._udp.srv.example.com", "SRV", [(10, 60, 5060, "sip1.example.com"), (20, 0, 5070, "sip2.example.com")])
        dns.set("_sip._tcp.srv.example.com", "SRV", [(10, 60, 5060, "sip1.example.com")])
        dns.set("_sips._tcp.srv.example.com", "SRV", [(10, 60, 5061, "sip3.example.com"), (0, 0, 0, ".")])
        dns.set("srv.example.com", "A", ["9.9.4.9"])  # is not what was named
        for i in range(1, 4):
            dns.set(f"sip{i}.example.com", "A", [f"9.9.4.{i}"])
        dns.set("sip3.example.com", "AAAA", ["2620:fe::43"])
        dns.set("slow.example.com", "A", ["9.9.5.1"])
        dns.behave("slow.example.com", bad.late(0.3))  # after the first try, before the end of the second
        with begin(dns, LK_DNS_TIMEOUT_MS="200") as suite:
            names = ["both.example.com", "alias0.example.com", "longer0.example.com", "circle.example.com",
                     "crowd.example.com", "slow.example.com"]
            connection, prefix = connect(suite, names)
            add_fqdn(suite, connection, "srv.example.com", "srv")
            for ip in ("9.9.1.1", "9.9.1.2", "2620:fe::9", "9.9.2.1", "9.9.3.1", "9.9.3.32", "9.9.4.1", "9.9.4.2",
                       "9.9.4.3", "2620:fe::43", "9.9.5.1"):
                await_who(suite, connection, ip, called=prefix)
            assert dns.count("crowd.example.com", tcp=True) >= 1
            dns.await_asked("longer0.example.com", 1, "A")
            dns.await_asked("circle.example.com", 1, "A")
            assert who(suite, "9.9.2.2", called=prefix) == "unknown_source"
            assert who(suite, "9.9.4.9", called=prefix) == "unknown_source"
            # A name is an address of its own: "a" of the same name says something else.
            add_fqdn(suite, connection, "srv.example.com", "a")
            await_who(suite, connection, "9.9.4.9", called=prefix)


LIAR = "9.9.9.66"
BAD_MANNERS = {
    "servfail": bad.servfail, "refused": bad.refused, "silent": bad.silent, "referral": bad.referral,
    "garbage": bad.garbage, "other-question": bad.other_question, "wrong-id": bad.wrong_id,
    "cut": bad.cut_everywhere, "huge": bad.huge, "late": bad.late(5.0),
    "other-name": bad.saying(record("liar.example.com", "A", LIAR)),
    "circle": lambda _dns, query, _tcp: [query.reply([record(query.name, "CNAME", query.name)])],
    "two-aliases": lambda _dns, query, _tcp: [query.reply([record(query.name, "CNAME", "a.example.com"),
                                                           record(query.name, "CNAME", "b.example.com"),
                                                           record("a.example.com", "A", LIAR)])],
    "flood": lambda _dns, query, _tcp: [query.reply([record("x.example.com", "A", LIAR)] * 300)],
    "srv-for-a": lambda _dns, query, _tcp: [query.reply([record("z.example.com", "SRV", (1, 1, 1, "liar.example.com"))])],
    "nothing-then-close": lambda _dns, _query, _tcp: [b"\0"],
}
AT_ONCE = {"referral", "huge", "other-name", "circle", "two-aliases", "flood", "srv-for-a"}


def test_what_dns_does_not_answer_stays_known():
    """However DNS fails; and through the death of whoever had asked."""
    names = {manner: (f"{manner}.example.com", f"9.9.1.{i}", f"9.9.2.{i}") for i, manner in enumerate(BAD_MANNERS, 1)}
    with Dns() as dns:
        dns.set("liar.example.com", "A", [LIAR])
        for name, before, _ in names.values():
            dns.set(name, "A", [before], ttl=0)
        with begin(dns, **QUICK) as suite:
            connection, prefix = connect(suite, [name for name, _, _ in names.values()])

            def all_are_known():
                for _, before, after in names.values():
                    assert who(suite, before, called=prefix) == connection, before
                    assert who(suite, after, called=prefix) == "unknown_source"
                assert who(suite, LIAR, called=prefix) == "unknown_source"

            for _, before, _ in names.values():
                await_who(suite, connection, before, called=prefix)
            asked = {}
            for manner, (name, _, after) in names.items():
                dns.behave(name, BAD_MANNERS[manner])
                dns.set(name, "A", [after], ttl=0)
                asked[name] = dns.count(name)
            # The first look-up has failed when the second begins: A and AAAA, and each again unless it was answered.
            for manner, (name, _, _) in names.items():
                dns.await_asked(name, asked[name] + (3 if manner in AT_ONCE else 5))
            all_are_known()
            told = {dict(labels)["result"]: number for (name, labels), number in suite.metrics(suite.workers[0]).items()
                    if name == "lk_worker_dns_lookups_total"}
            assert told["failed"] >= len(names) and told["found"] >= len(names), told
            suite.workers[0].kill(signal.SIGKILL)
            worker = suite.start_worker()
            suite.await_joined(worker)
            all_are_known()
            for name, _, _ in names.values():
                dns.behave(name)
            for _, before, after in names.values():
                await_who(suite, connection, after, called=prefix)
                assert who(suite, before, called=prefix) == "unknown_source"


def test_what_dns_does_answer_counts():
    with Dns() as dns:
        for i, name in enumerate(["moved", "gone", "empty", "half", "deleted"], 1):
            dns.set(f"{name}.example.com", "A", [f"9.9.1.{i}"], ttl=0)
        dns.set("half.example.com", "AAAA", ["2620:fe::4"], ttl=0)
        dns.set("_sip._udp.srv.example.com", "SRV", [(1, 1, 5060, "half.example.com"), (1, 1, 5060, "moved.example.com")], ttl=0)
        with begin(dns, **QUICK) as suite:
            connection, prefix = connect(suite, [f"{name}.example.com" for name in ("moved", "gone", "empty")])
            other, others = connect(suite, ["half.example.com"])
            third, thirds = connect(suite, ["srv.example.com"], "srv")
            fourth, fourths = connect(suite)
            fqdn = add_fqdn(suite, fourth, "deleted.example.com")
            for i in (1, 2, 3):
                await_who(suite, connection, f"9.9.1.{i}", called=prefix)
            for ip in ("9.9.1.4", "2620:fe::4"):
                await_who(suite, other, ip, called=others)
            for ip in ("9.9.1.1", "9.9.1.4", "2620:fe::4"):
                await_who(suite, third, ip, called=thirds)
            await_who(suite, fourth, "9.9.1.5", called=fourths)
            # Deleted in the store: from that moment on, whatever is known of the name.
            assert suite.call("DELETE", f"/security/fqdns/{fqdn}").status == 200
            assert who(suite, "9.9.1.5", called=fourths) == "unknown_source"
            # In DNS: at the next look.
            dns.set("moved.example.com", "A", ["9.9.2.1"], ttl=0)
            dns.drop("gone.example.com")
            dns.set("empty.example.com", "A", [])
            await_who(suite, connection, "9.9.2.1", called=prefix)
            for i in (1, 2, 3):
                await_who(suite, "unknown_source", f"9.9.1.{i}", called=prefix)
            # One question that fails holds up no other, and keeps what it had told.
            dns.behave("half.example.com", bad.servfail, kind="AAAA")
            dns.set("half.example.com", "A", ["9.9.2.4"], ttl=0)
            await_who(suite, other, "9.9.2.4", called=others)
            await_who(suite, third, "9.9.2.4", called=thirds)
            assert who(suite, "9.9.1.4", called=others) == "unknown_source"
            assert who(suite, "2620:fe::4", called=others) == other
            assert who(suite, "2620:fe::4", called=thirds) == third
            # A target that SRV names no more goes with all of its addresses, known or not.
            dns.set("_sip._udp.srv.example.com", "SRV", [(1, 1, 5060, "moved.example.com")], ttl=0)
            await_who(suite, "tech_prefix_mismatch", "2620:fe::4", called=thirds)  # others have it still
            assert who(suite, "2620:fe::4", called=others) == other
            # What is an FQDN no more is cleared away, and is looked up again when it comes back.
            dns.set("deleted.example.com", "A", ["9.9.2.5"], ttl=0)
            add_fqdn(suite, fourth, "deleted.example.com")
            await_who(suite, fourth, "9.9.2.5", called=fourths)


NOT_PUBLIC = ["127.0.0.1", "10.1.1.1", "172.16.0.1", "192.168.1.1", "169.254.1.1", "100.64.0.1", "::1", "fd00::1", "fe80::1",
              "203.0.113.1", "64:ff9b::a01:101"]
NEVER = ["0.0.0.0", "224.0.0.1", "ff02::1", "::"]


def test_private_addresses_count_only_if_allowed():
    with Dns() as dns:
        for kind, mark, also in (("A", ".", "9.9.9.9"), ("AAAA", ":", "2620:fe::9")):
            dns.set("pbx.example.com", kind, [also] + [ip for ip in NOT_PUBLIC + NEVER if mark in ip], ttl=0)
        with begin(dns, **QUICK) as suite:
            connection, prefix = connect(suite, ["pbx.example.com"])

            def are(ips, expected):
                for ip in ips:
                    assert who(suite, ip, called=prefix) == expected, ip

            for ip in ("9.9.9.9", "2620:fe::9"):
                await_who(suite, connection, ip, called=prefix)
            are(NOT_PUBLIC + NEVER, "unknown_source")
            counted = suite.metrics(suite.workers[0])
            assert sum(number for (name, _), number in counted.items() if name == "lk_worker_dns_refused_total") >= 1
            suite.worker_settings["LK_DNS_PRIVATE"] = "on"
            suite.workers[0].stop()
            suite.await_joined(suite.start_worker())
            for ip in NOT_PUBLIC:
                await_who(suite, connection, ip, called=prefix)
            are(NEVER, "unknown_source")
            # Allowed no more: they go, though DNS does not answer.
            dns.behave("pbx.example.com", bad.servfail)
            suite.worker_settings["LK_DNS_PRIVATE"] = "off"
            suite.workers[1].stop()
            suite.await_joined(suite.start_worker())
            for ip in NOT_PUBLIC:
                await_who(suite, "unknown_source", ip, called=prefix)
            are(["9.9.9.9", "2620:fe::9"], connection)


def test_one_process_asks_and_another_one_goes_on():
    with Dns() as dns:
        dns.set("first.example.com", "A", ["9.9.1.1"], ttl=3600)
        dns.set("second.example.com", "A", ["9.9.1.2"], ttl=3600)
        with begin(dns, workers=3) as suite:
            def leaders():
                return [worker for worker in suite.workers if worker.alive() and b" event=dns_led" in worker.log.read_bytes()]

            connection, prefix = connect(suite, ["first.example.com"])
            await_who(suite, connection, "9.9.1.1", called=prefix)
            assert dns.count("first.example.com", "A") == 1 and len(leaders()) == 1
            # By every replica's word: they share what is known.
            for worker in suite.workers:
                suite.await_joined(worker)
            clients = [Client(suite.port, suite.admin) for _ in range(8)]
            with concurrent.futures.ThreadPoolExecutor(len(clients)) as pool:
                said = pool.map(lambda client: [who(client, "9.9.1.1", called=prefix) for _ in range(10)], clients)
                assert {one for some in said for one in some} == {connection}
            leaders()[0].kill(signal.SIGKILL)
            add_fqdn(suite, connection, "second.example.com")
            await_who(suite, connection, "9.9.1.2", called=prefix)
            assert len(leaders()) == 1
            leaders()[0].kill(signal.SIGSTOP)
            # Stopped, not dead: nothing new is learnt, and what is known stays.
            assert who(suite, "9.9.1.1", called=prefix) == connection
            stopped = leaders()[0]
            stopped.kill(signal.SIGKILL)
            dns.set("third.example.com", "A", ["9.9.1.3"], ttl=3600)
            add_fqdn(suite, connection, "third.example.com")
            await_who(suite, connection, "9.9.1.3", called=prefix)
