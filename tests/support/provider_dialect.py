"""The v2 dialect's shapes, and authentication providers, for tests: what every body must look like."""

import itertools
import re

PROVIDERS = "/v2/authentication_providers"
NOWHERE = "01890000-0000-7000-8000-000000000000"
UUID = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
MOMENT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
PRINT_20 = "13:38:C7:BB:C9:FF:4A:70:38:3A:E3:D9:5C:CD:DB:2E:50:1E:80:A7"
SETTINGS = {"idp_entity_id": "https://myorg.myidp.com/saml/metadata",
            "idp_sso_target_url": "https://myorg.myidp.com/trust/saml2/http-post/sso",
            "idp_cert_fingerprint": PRINT_20, "idp_cert_fingerprint_algorithm": "sha1"}
KEYS = ["id", "record_type", "name", "short_name", "organization_id", "active", "settings", "settings_url",
        "warnings", "activated_at", "created_at", "updated_at"]
SETTINGS_KEYS = ["allow_idp_initiated", "allow_sha1_signatures", "assertion_consumer_service_url",
                 "certificate_expires_at", "idp_attribute_names", "idp_cert_fingerprint",
                 "idp_cert_fingerprint_algorithm", "idp_certificate", "idp_entity_id", "idp_slo_target_url",
                 "idp_sso_target_url", "name_identifier_format", "provision_groups", "service_provider_entity_id",
                 "service_provider_login_url"]
TITLES = {"10003": "Invalid URL", "10004": "Missing required parameter", "10005": "Resource not found",
          "10007": "Unexpected error", "10009": "Authentication failed", "10010": "Not authorized",
          "10012": "Duplicate resource", "10014": "Unsupported Media Type", "10015": "Bad Request",
          "10023": "Invalid JSON", "10026": "Invalid parameter type", "10032": "Invalid enumerated value",
          "10033": "Value outside of range"}
_numbers = itertools.count()


def check_data(answer, status=200):
    """The envelope of one thing."""
    assert answer.status == status, answer.body
    assert answer.headers["Content-Type"].startswith("application/json")
    assert list(answer.json) == ["data"]
    return answer.json["data"]


def check_page(answer, number, size, total):
    assert answer.status == 200, answer.body
    assert list(answer.json) == ["data", "meta"]
    assert answer.json["meta"] == {"page_number": number, "page_size": size, "total_pages": -(-total // size),
                                   "total_results": total}
    return answer.json["data"]


def check_errors(answer, status, faults=None):
    """faults: code by pointer or parameter, all of them; None: one error with no source."""
    assert answer.status == status, answer.body
    assert list(answer.json) == ["errors"]
    found = {}
    for error in answer.json["errors"]:
        assert TITLES[error["code"]] == error["title"] and error["detail"]
        assert error["meta"]["url"]
        source = error.get("source", {None: None})
        assert len(source) == 1 and set(source) <= {"pointer", "parameter", None}
        found[next(iter(source.values()))] = error["code"]
    if faults is not None:
        assert found == faults
    return answer.json["errors"]


def check_provider(provider, base="http://127.0.0.1:8080"):
    assert list(provider) == KEYS
    assert list(provider["settings"]) == SETTINGS_KEYS
    assert UUID.match(provider["id"]) and UUID.match(provider["organization_id"])
    assert provider["record_type"] == "authentication_provider"
    assert MOMENT.match(provider["created_at"]) and MOMENT.match(provider["updated_at"])
    name, settings = provider["short_name"], provider["settings"]
    assert settings["assertion_consumer_service_url"] == f"{base}/sso/saml/auth/{name}"
    assert settings["service_provider_entity_id"] == f"{base}/sso/saml/metadata/{name}"
    assert settings["service_provider_login_url"] == f"{base}/sso/{name}"
    return provider


def new_provider(**other):
    """A body that makes a provider; its short name is new."""
    return {"name": "Okta", "short_name": f"org-{next(_numbers)}", "settings": dict(SETTINGS), **other}


def make_provider(suite, key=None, **other):
    return check_provider(check_data(suite.call("POST", PROVIDERS, new_provider(**other), key=key)))
