"""docs/api/authentication-providers.md: certificates, refreshing, the dry run, events."""

import base64

from idp import CERTIFICATES
from provider_dialect import (MOMENT, NOWHERE, PROVIDERS, UUID, check_data, check_errors, check_page, check_provider,
                              make_provider)

SERVICES = ["auth-provider"]
NO_RESPONSE = base64.b64encode(b'<x xmlns="urn:x"/>').decode()
KEYS = ["id", "certificate", "fingerprint_sha256", "not_after", "not_before", "retired_at", "source"]
EVENT_KEYS = ["id", "at", "client", "detail", "kind", "name_id", "reason", "succeeded"]


def at(provider, rest=""):
    return f"{PROVIDERS}/{provider['id']}{rest}"


def check_certificate(certificate):
    assert list(certificate) == KEYS and UUID.match(certificate["id"])
    assert certificate["certificate"].startswith("-----BEGIN CERTIFICATE-----\n")
    assert len(certificate["fingerprint_sha256"].split(":")) == 32
    assert MOMENT.match(certificate["not_before"]) and MOMENT.match(certificate["not_after"])
    return certificate


def add(suite, provider, certificate, key=None):
    sent = {"certificate": certificate}
    return check_certificate(check_data(suite.call("POST", at(provider, "/certificates"), sent, key=key)))


def test_a_certificate_is_added_and_retired(suite):
    made = make_provider(suite)
    assert check_data(suite.call("GET", at(made, "/certificates"))) == []
    one, other = add(suite, made, CERTIFICATES[0]), add(suite, made, CERTIFICATES[1])
    assert one["source"] == "given" and one["retired_at"] is None
    assert check_data(suite.call("GET", at(made, "/certificates").removeprefix("/v2"))) == [one, other]
    shown = check_provider(check_data(suite.call("GET", at(made))))["settings"]["certificate_expires_at"]
    assert shown == min(one["not_after"], other["not_after"])
    retired = check_certificate(check_data(suite.call("DELETE", at(made, f"/certificates/{one['id']}"))))
    assert MOMENT.match(retired["retired_at"]) and {**retired, "retired_at": None} == one
    assert check_data(suite.call("DELETE", at(made, f"/certificates/{one['id']}"))) == retired
    assert check_data(suite.call("GET", at(made, "/certificates"))) == [retired, other]
    assert add(suite, made, one["certificate"]) == one  # it lives again
    assert add(suite, made, one["certificate"]) == one


def test_what_is_no_certificate(suite):
    made = make_provider(suite)
    for body, code in (({}, "10004"), ({"certificate": 1}, "10026"), ({"certificate": "x"}, "10015"),
                       ({"certificate": [CERTIFICATES[0]]}, "10026")):
        check_errors(suite.call("POST", at(made, "/certificates"), body), 422, {"/certificate": code})
    for path in (f"/certificates/{NOWHERE}", "/certificates/x"):
        check_errors(suite.call("DELETE", at(made, path)), 404, {None: "10005"})


def test_refreshing_needs_a_url(suite):
    made = make_provider(suite)
    check_errors(suite.call("POST", at(made, "/actions/refresh")), 422, {"/settings_url": "10015"})


def test_a_refresh_that_fails_changes_nothing(suite):
    made = make_provider(suite, settings_url="http://127.0.0.1:1/")
    errors = check_errors(suite.call("POST", at(made, "/actions/refresh")), 422, {"/settings_url": "10015"})
    assert "address" in errors[0]["detail"] and "127.0.0.1" not in errors[0]["detail"]
    assert check_data(suite.call("GET", at(made))) == made


def test_the_dry_run(suite):
    made = make_provider(suite)
    result = check_data(suite.call("POST", at(made, "/actions/validate_response"), {"saml_response": NO_RESPONSE}))
    assert list(result) == ["attributes", "checks", "groups", "name_id", "reason", "valid"]
    assert result["valid"] is False and result["reason"] == "not_a_response" and result["name_id"] is None
    assert all(list(check) == ["check", "detail", "passed", "reason"] for check in result["checks"])
    assert [check["passed"] for check in result["checks"]].count(False) == 1
    for body, pointer, code in (({}, "/saml_response", "10004"), ({"saml_response": ""}, "/saml_response", "10033"),
                                ({"saml_response": "a", "at": "yesterday"}, "/at", "10015")):
        check_errors(suite.call("POST", at(made, "/actions/validate_response"), body), 422, {pointer: code})


def test_a_large_response_is_looked_at(suite):
    made = make_provider(suite)
    asked = at(made, "/actions/validate_response")
    result = check_data(suite.call("POST", asked, {"saml_response": "A" * 340000}))
    assert result["valid"] is False
    assert suite.call("POST", asked, {"saml_response": "A" * 400000}).status == 422


def test_events(suite):
    made = make_provider(suite)
    check_page(suite.call("GET", at(made, "/events")), 1, 20, 0)
    one = add(suite, made, CERTIFICATES[0])
    suite.call("DELETE", at(made, f"/certificates/{one['id']}"))
    latest, first = check_page(suite.call("GET", at(made, "/events?page[size]=5")), 1, 5, 2)
    assert list(first) == EVENT_KEYS and UUID.match(first["id"]) and MOMENT.match(first["at"])
    assert first["kind"] == "certificate" and first["succeeded"] is True and first["reason"] is None
    assert "added" in first["detail"] and "retired" in latest["detail"]
    assert check_page(suite.call("GET", at(made, "/events?page[size]=1&page[number]=2")), 2, 1, 2) == [first]
    assert check_page(suite.call("GET", at(made, "/events?reason=digest_mismatch")), 1, 20, 0) == []
    check_errors(suite.call("GET", at(made, "/events?reason=none_such")), 400, {"reason": "10032"})


def test_other_organizations_see_nothing(suite):
    admin = suite.make_key("--organization", "seen", "--scope", "admin")
    made = make_provider(suite, admin)
    one = add(suite, made, CERTIFICATES[0], admin)
    stranger = suite.make_key("--organization", "elsewhere", "--scope", "admin")
    for method, path, body in (("GET", "/certificates", None), ("POST", "/certificates", {"certificate": CERTIFICATES[1]}),
                               ("DELETE", f"/certificates/{one['id']}", None), ("POST", "/actions/refresh", None),
                               ("POST", "/actions/validate_response", {"saml_response": NO_RESPONSE}),
                               ("GET", "/events", None)):
        check_errors(suite.call(method, at(made, path), body, key=stranger), 404, {None: "10005"})
    reader = suite.make_key("--organization", "seen", "--scope", "read")
    assert check_data(suite.call("GET", at(made, "/certificates"), key=reader)) == [one]
    for method, path, body in (("POST", "/certificates", {"certificate": CERTIFICATES[1]}), ("POST", "/actions/refresh", None),
                               ("POST", "/actions/validate_response", {"saml_response": NO_RESPONSE})):
        check_errors(suite.call(method, at(made, path), body, key=reader), 403, {None: "10010"})
