"""Hostile documents, as large as they may be, cost no memory that stays, and nobody is logged in by them."""

from sso_flow import FORM, Idp, single_sign_on, whose
from test_flat_memory import resident_kib

LIMIT = 256 * 1024  # of a document
ROUNDS = 6
REASONS = {"message_not_base64", "message_too_large", "xml_malformed", "xml_doctype", "xml_encoding", "xml_too_deep", "xml_too_many_nodes",
           "xml_forbidden_node", "xml_duplicate_id", "xml_namespace", "not_a_response", "signature_missing", "assertion_missing", "assertion_count",
           "xml_forbidden_attribute", "message_missing", "value_too_long"}


def filled(head, piece, tail):
    """As many pieces as a document may hold."""
    return head + piece * ((LIMIT - len(head) - len(tail)) // len(piece)) + tail


def documents():
    """By name."""
    open_, close = '<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_r" Version="2.0">', "</samlp:Response>"
    half = LIMIT // 8
    entities = "".join(f'<!ENTITY e{n} "{"&e%d;" % (n - 1) * 10}">' for n in range(1, 20))
    numbered = "".join(f'<a ID="_{number}"/>' for number in range(11000))
    return {
        "deep": "<a>" * (LIMIT // 3), "deep and closed": "<a>" * half + "</a>" * half, "wide": filled(open_, "<a/>", close),
        "attributes": filled("<a ", 'b="" ', "/>"), "numbered attributes": "<a " + " ".join(f'b{n}=""' for n in range(25000)) + "/>",
        "text": filled(open_, "x", close), "names": filled("<", "n", "/>"), "value": filled('<a b="', "v", '"/>'),
        "namespaces": "<a " + " ".join(f'xmlns:p{n}="urn:{n}"' for n in range(12000)) + "/>", "ids": f"{open_}{numbered}{close}",
        "laughs": f'<!DOCTYPE a [<!ENTITY e0 "ha">{entities}]><a>&e19;</a>', "references": filled(open_, "&#120;", close),
        "comments": filled(open_, "<!---->", close), "instructions": filled(open_, "<?a?>", close), "sections": filled(open_, "<![CDATA[]]>", close),
        "assertions": filled(open_, '<Assertion xmlns="urn:oasis:names:tc:SAML:2.0:assertion"/>', close), "no XML": "\0" * LIMIT, "blank": " " * LIMIT,
        "UTF-16": ("<a>" * half).encode("utf-16"), "too large": "<a>" + "x" * LIMIT + "</a>",
    }


def forms(login):
    """Whole bodies that are no form of a login: (what, status)."""
    pair = b"SAMLResponse=QUFB"
    yield b"a=b&" * 100000, {403, 413, 422}
    yield b"SAMLResponse=" + b"%41" * 170000, {403, 413, 422}
    yield pair + b"&" + pair, {403, 422}
    yield b"SAMLResponse=" + b"=" * 300000, {403, 422}
    yield b"SAMLResponse=" + b"A" * 600000, {413}
    yield b"&" * 500000, {403, 413, 422}
    yield b"%" * 500000, {403, 413, 422}
    yield b"", {403, 422}
    yield b"RelayState=" + b"r" * 100000 + b"&" + pair, {403, 422}


def storm(idp, login):
    for what, text in documents().items():
        answer = login.post(idp.suite.client, login.form(text))
        assert answer.status in (403, 413), (what, answer.status, answer.body)  # 413: percent-encoded too long
    for body, statuses in forms(login):
        answer = idp.suite.client.call("POST", f"/sso/saml/auth/{idp.name}", raw=body, key="", headers=FORM | {"Cookie": login.cookie})
        assert answer.status in statuses, (body[:40], answer.status, answer.body[:200])


def test_flat():
    with single_sign_on() as suite:
        idp = Idp(suite, "hostile")
        login = idp.begin(suite.client)
        processes = (suite.gateway, suite.workers[0])
        for _ in range(ROUNDS):
            storm(idp, login)  # buffers and threads have found their size
        before = [resident_kib(process) for process in processes]
        for _ in range(ROUNDS):
            storm(idp, login)
        after = [resident_kib(process) for process in processes]
        print(f"RSS KiB of gateway and worker: {before} -> {after}")
        assert all(late - early < 16 * 1024 for early, late in zip(before, after))  # 70 MiB were sent
        assert all(late < 100 * 1024 for late in after)
        assert set(idp.reasons()) <= REASONS, set(idp.reasons()) - REASONS
        assert whose(suite.client, login.post(suite.client).json["token"])  # the true answer comes through yet


def test_nothing_that_lets_in_is_kept():
    """Neither token, cookie, relay state nor document in the store or a log; nor who failed."""
    with single_sign_on(worker_settings={"LK_LOG_LEVEL": "debug"}, gateway_settings={"LK_LOG_LEVEL": "debug"}) as suite:
        idp = Idp(suite, "secrets")
        login, wrong = idp.begin(suite.client), idp.begin(suite.client)
        token = login.post(suite.client).json["token"]
        failed = idp.message("_" + "0" * 40, name_id="nobody-vouches@example.com")
        assert wrong.post(suite.client, wrong.form(failed.signed())).status == 403
        assert whose(suite.client, token)
        page = idp.begin(suite.client)
        answer = page.post(suite.client, Accept="text/html")
        cookie = answer.headers["Set-Cookie"]
        kept = suite.logs() + b"".join(path.read_bytes() for path in suite.data.rglob("auth-provider.db*"))
        assert b"person" in kept  # it is what was looked for: the name of a success is there
        held = [token, login.cookie.split("=")[1], *[one.split("=", 1)[1].split(";")[0] for one in answer.headers.get_all("Set-Cookie")],
                "nobody-vouches", failed.assertion_id, "SAMLResponse"]
        assert cookie and not [one for one in held if one and one.encode() in kept]
