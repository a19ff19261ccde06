"""docs/api/authentication-providers.md."""

import pytest
from provider_dialect import (NOWHERE, PRINT_20, PROVIDERS, SETTINGS, check_data, check_errors, check_page,
                              check_provider, make_provider, new_provider)

SERVICES = ["auth-provider"]
SORTS = ["name", "short_name", "active", "created_at", "updated_at"]


def at(provider):
    return f"{PROVIDERS}/{provider['id']}"


@pytest.fixture(scope="module")
def crowd(suite):
    """An organization with 45 providers; its key, and its providers as they were made."""
    key = suite.make_key("--organization", "crowd", "--scope", "admin")
    made = [make_provider(suite, key, name=("B" if i % 2 else "b") + str(i * 7 % 45), short_name=f"crowd-{i * 11 % 45}",
                          active=i % 3 > 0) for i in range(45)]
    for provider in made[::4]:
        provider.update(check_data(suite.call("PATCH", at(provider), {"name": provider["name"] + "!"}, key=key)))
    return key, made


# ---- one provider ----

def test_documented_create(suite):
    """The documentation's own sample, whose 20-byte fingerprint says it is of sha256."""
    sent = {"name": "Okta", "short_name": "myorg", "active": True,
            "settings": {**SETTINGS, "idp_cert_fingerprint_algorithm": "sha256"},
            "settings_url": "https://myorg.myidp.com/saml/metadata"}
    made = check_provider(check_data(suite.call("POST", PROVIDERS, sent)))
    assert {name: made[name] for name in ("name", "short_name", "active", "settings_url")} == \
        {name: sent[name] for name in ("name", "short_name", "active", "settings_url")}
    assert made["settings"].items() >= sent["settings"].items()
    assert made["activated_at"] == made["created_at"] == made["updated_at"]
    assert len(made["warnings"]) == 1 and "20 bytes" in made["warnings"][0] and "32" in made["warnings"][0]
    assert check_data(suite.call("GET", at(made))) == made
    assert check_data(suite.call("GET", at(made).removeprefix("/v2"))) == made
    assert check_data(suite.call("DELETE", at(made))) == made
    check_errors(suite.call("GET", at(made)), 404, {None: "10005"})


def test_defaults(suite):
    sent = new_provider()
    del sent["settings"]["idp_cert_fingerprint_algorithm"]
    made = check_provider(check_data(suite.call("POST", PROVIDERS.removeprefix("/v2"), sent)))
    assert made["active"] is True and made["settings_url"] is None and made["warnings"] == []
    settings = made["settings"]
    assert settings["idp_cert_fingerprint_algorithm"] == "sha1"
    assert settings["name_identifier_format"] == "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
    for name in ("idp_certificate", "idp_slo_target_url", "idp_attribute_names", "provision_groups"):
        assert settings[name] is None
    assert make_provider(suite, active=False)["activated_at"] is None


@pytest.mark.parametrize("fingerprint", [PRINT_20, PRINT_20.replace(":", ""), PRINT_20.lower(),
                                         PRINT_20.replace(":", " "), "ab" * 32, "AB" * 48, "0f" * 64])
def test_fingerprints_are_answered_as_given(suite, fingerprint):
    made = make_provider(suite, settings={**SETTINGS, "idp_cert_fingerprint": fingerprint})
    assert made["settings"]["idp_cert_fingerprint"] == fingerprint


@pytest.mark.parametrize("change, faults", [
    ({"name": None}, {"/name": "10026"}),
    ({"name": ["Okta"]}, {"/name": "10026"}),
    ({"name": {}}, {"/name": "10026"}),
    ({"name": ""}, {"/name": "10033"}),
    ({"name": "x" * 256}, {"/name": "10033"}),
    ({"short_name": "My"}, {"/short_name": "10015"}),
    ({"short_name": "_a"}, {"/short_name": "10015"}),
    ({"short_name": "a" * 64}, {"/short_name": "10033"}),
    ({"active": "true"}, {"/active": "10026"}),
    ({"settings": []}, {"/settings": "10026"}),
    ({"settings": None}, {"/settings": "10026"}),
    ({"settings_url": "/x"}, {"/settings_url": "10015"}),
    ({"settings_url": "ftp://a.example/x"}, {"/settings_url": "10015"}),
    ({"settings": {}}, {"/settings/idp_entity_id": "10004", "/settings/idp_sso_target_url": "10004",
                        "/settings/idp_cert_fingerprint": "10004"}),
    ({"settings": {**SETTINGS, "idp_cert_fingerprint": "00:11"}}, {"/settings/idp_cert_fingerprint": "10015"}),
    ({"settings": {**SETTINGS, "idp_cert_fingerprint_algorithm": "md5"}},
     {"/settings/idp_cert_fingerprint_algorithm": "10032"}),
    ({"settings": {**SETTINGS, "idp_sso_target_url": "javascript:1"}}, {"/settings/idp_sso_target_url": "10015"}),
    ({"settings": {**SETTINGS, "idp_entity_id": "x" * 1025}}, {"/settings/idp_entity_id": "10033"}),
    ({"settings": {**SETTINGS, "idp_certificate": "x"}}, {"/settings/idp_certificate": "10015"}),
    ({"settings": {**SETTINGS, "idp_attribute_names": {"a": 1}}}, {"/settings/idp_attribute_names": "10026"}),
    ({"settings": {**SETTINGS, "provision_groups": 1}}, {"/settings/provision_groups": "10026"}),
    ({"name": 1, "short_name": "A", "active": 2, "settings": {**SETTINGS, "idp_entity_id": 5}},
     {"/name": "10026", "/short_name": "10015", "/active": "10026", "/settings/idp_entity_id": "10026"}),
])
def test_faults(suite, change, faults):
    sent = {**new_provider(), **change}
    check_errors(suite.call("POST", PROVIDERS, sent), 422, faults)
    if change.get("settings") != {}:
        check_errors(suite.call("PATCH", at(make_provider(suite)), change), 422, faults)


def test_what_is_required(suite):
    every = {"/name": "10004", "/short_name": "10004", "/settings": "10004"}
    check_errors(suite.call("POST", PROVIDERS, {}), 422, every)
    check_errors(suite.call("POST", PROVIDERS, raw=b""), 422, every)
    check_errors(suite.call("POST", PROVIDERS, {"name": "a", "short_name": "a"}), 422, {"/settings": "10004"})


def test_short_names_are_unique_everywhere(suite):
    made, other = make_provider(suite), make_provider(suite)
    stranger = suite.make_key("--organization", "strangers", "--scope", "admin")
    taken = new_provider(short_name=made["short_name"])
    for key in (None, stranger):
        check_errors(suite.call("POST", PROVIDERS, taken, key=key), 422, {"/short_name": "10012"})
    check_errors(suite.call("PATCH", at(other), {"short_name": made["short_name"]}), 422, {"/short_name": "10012"})
    check_data(suite.call("PATCH", at(made), {"short_name": made["short_name"]}))


# ---- changes ----

def test_empty_change(suite):
    made = make_provider(suite)
    assert check_data(suite.call("PATCH", at(made), {})) == made
    assert check_data(suite.call("PATCH", at(made), raw=b"", headers={"Content-Type": ""})) == made
    assert check_data(suite.call("PATCH", at(made), {"settings": {}, "id": "x", "unknown": 5})) == made


def test_changes_are_merged(suite):
    made = make_provider(suite)
    changed = check_provider(check_data(suite.call("PATCH", at(made), {
        "name": "New", "settings": {"idp_entity_id": "urn:new", "idp_attribute_names": {"email": "mail"}}})))
    assert changed["name"] == "New" and changed["short_name"] == made["short_name"]
    assert changed["settings"]["idp_entity_id"] == "urn:new"
    assert changed["settings"]["idp_attribute_names"] == {"email": "mail"}
    assert changed["settings"]["idp_sso_target_url"] == made["settings"]["idp_sso_target_url"]
    assert changed["created_at"] == made["created_at"] and changed["updated_at"] >= made["updated_at"]
    moved = check_provider(check_data(suite.call("PATCH", at(made), {"short_name": made["short_name"] + "-b"})))
    assert moved["short_name"] == made["short_name"] + "-b"


def test_activated_at(suite):
    made = make_provider(suite, active=False)
    on = check_data(suite.call("PATCH", at(made), {"active": True}))
    assert on["activated_at"] == on["updated_at"]
    off = check_data(suite.call("PATCH", at(made), {"active": False}))
    assert off["activated_at"] == on["activated_at"]


def test_read_only_members_are_ignored(suite):
    sent = new_provider(id="x", organization_id="y", record_type="z", created_at="w", warnings="v")
    sent["settings"]["service_provider_entity_id"] = "https://evil.example/"
    check_provider(check_data(suite.call("POST", PROVIDERS, sent)))


# ---- who ----

def test_others_have_none_of_it(suite):
    made = make_provider(suite)
    stranger = suite.make_key("--organization", "strangers", "--scope", "admin")
    for method in ("GET", "PATCH", "DELETE"):
        check_errors(suite.call(method, at(made), {} if method == "PATCH" else None, key=stranger), 404, {None: "10005"})
        check_errors(suite.call(method, f"{PROVIDERS}/{NOWHERE}"), 404, {None: "10005"})
        check_errors(suite.call(method, f"{PROVIDERS}/junk"), 404, {None: "10005"})
        check_errors(suite.call(method, at(made), key="x"), 401, {None: "10009"})
    assert check_data(suite.call("GET", at(made))) == made


def test_a_reader_writes_nothing(suite):
    made = make_provider(suite)
    reader = suite.make_key("--organization", "default", "--scope", "read")
    assert check_data(suite.call("GET", at(made), key=reader)) == made
    check_errors(suite.call("POST", PROVIDERS, new_provider(), key=reader), 403, {None: "10010"})
    check_errors(suite.call("PATCH", at(made), {}, key=reader), 403, {None: "10010"})
    check_errors(suite.call("DELETE", at(made), key=reader), 403, {None: "10010"})


# ---- lists ----

def pages(suite, key, sort, size):
    total, number, found = None, 0, []
    while total is None or number * size < total:
        number += 1
        answer = suite.call("GET", f"{PROVIDERS}?page[number]={number}&page%5Bsize%5D={size}&sort={sort}", key=key)
        total = answer.json["meta"]["total_results"]
        rows = check_page(answer, number, size, total)
        assert len(rows) == min(size, total - (number - 1) * size)
        found += rows
    return found


@pytest.mark.parametrize("sort", SORTS + ["-" + sort for sort in SORTS])
@pytest.mark.parametrize("size", [7, 20, 250])
def test_pages_in_every_order(suite, crowd, sort, size):
    key, made = crowd
    member, down = sort.lstrip("-"), sort.startswith("-")

    def order(provider):
        value = provider[member]
        return (value.lower() if member == "name" else value, provider["id"])

    assert pages(suite, key, sort, size) == sorted(made, key=order, reverse=down)


def test_default_page(suite, crowd):
    key, made = crowd
    rows = check_page(suite.call("GET", PROVIDERS, key=key), 1, 20, 45)
    assert rows == sorted(made, key=lambda provider: provider["created_at"], reverse=True)[:20]
    assert rows == check_page(suite.call("GET", PROVIDERS.removeprefix("/v2"), key=key), 1, 20, 45)


def test_past_the_end(suite, crowd):
    key, _ = crowd
    assert check_page(suite.call("GET", f"{PROVIDERS}?page[number]=4", key=key), 4, 20, 45) == []
    nobody = suite.make_key("--organization", "nobody", "--scope", "admin")
    assert check_page(suite.call("GET", f"{PROVIDERS}?page[number]=9&page[size]=1", key=nobody), 9, 1, 0) == []


@pytest.mark.parametrize("query, faults", [
    ("page[number]=0", {"page[number]": "10033"}),
    ("page[number]=-1", {"page[number]": "10033"}),
    ("page[number]=x", {"page[number]": "10026"}),
    ("page%5Bnumber%5D=1.5", {"page[number]": "10026"}),
    ("page[size]=0", {"page[size]": "10033"}),
    ("page[size]=251", {"page[size]": "10033"}),
    ("sort=email", {"sort": "10032"}),
    ("sort=--name", {"sort": "10032"}),
    ("sort=", {"sort": "10032"}),
    ("page[size]=0&sort=x", {"page[size]": "10033", "sort": "10032"}),
])
def test_bad_queries(suite, query, faults):
    check_errors(suite.call("GET", f"{PROVIDERS}?{query}"), 400, faults)


def test_turning_pages_while_providers_come(suite):
    """By time of creation nobody is met twice or left out, whatever is added."""
    key = suite.make_key("--organization", "growing", "--scope", "admin")
    old = [make_provider(suite, key)["id"] for _ in range(12)]
    met, number = [], 0
    while len(met) < len(old):
        number += 1
        rows = suite.call("GET", f"{PROVIDERS}?sort=created_at&page[size]=5&page[number]={number}", key=key).json["data"]
        met += [row["id"] for row in rows]
        make_provider(suite, key)
    assert met[:len(old)] == old and len(set(met)) == len(met)


# ---- repeated ----

def test_idempotency(suite):
    sent, headers = new_provider(), {"Idempotency-Key": "provider-1"}
    made = check_data(suite.call("POST", PROVIDERS, sent, headers=headers))
    again = suite.call("POST", PROVIDERS, sent, headers=headers)
    assert check_data(again) == made and again.headers["Idempotent-Replayed"] == "true"
    check_errors(suite.call("POST", PROVIDERS, new_provider(), headers=headers), 422, {None: "10015"})
