"""The trunk dialect's shapes, for the contract tests: what every body must look like."""

import json
import re

UUID = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
DATE = re.compile(r"^\d{4}-\d\d-\d\d$")
REASONS = {200: "OK", 201: "Created", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden",
           404: "Not Found", 405: "Method Not Allowed", 409: "Conflict", 413: "Content Too Large",
           414: "URI Too Long", 415: "Unsupported Media Type", 422: "Unprocessable Content",
           503: "Service Unavailable"}
NOWHERE = "01890000-0000-7000-8000-000000000000"
METHOD_KEYS = ["created_on", "enabled", "expires_at", "ip", "label", "last_used_at", "password",
               "type", "updated_on", "username", "uuid"]
TRUNK_KEYS = ["auth", "auth_count", "auth_policy", "created_on", "domain", "name", "port", "transport",
              "updated_on", "user", "uuid"]


def dump(value):
    """JSON as the gateway writes it: no blanks, UTF-8."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def check_success(answer, status, method=None):
    """The envelope byte for byte, around whatever the result is."""
    assert answer.status == status, answer.body
    assert answer.headers["Content-Type"].startswith("application/json")
    body = answer.json
    assert list(body) == ["result", "status_code", "status_message"]
    assert answer.body == dump({"result": body["result"], "status_code": status,
                                "status_message": REASONS[status]})
    return body["result"]


def check_failure(answer, status, fields=None):
    """An error: `result` is empty, what is wrong stands beside it."""
    assert answer.status == status, answer.body
    assert answer.headers["Content-Type"].startswith("application/json")
    body = answer.json
    assert answer.body.startswith(
        b'{"result":{},"status_code":%d,"status_message":"%s","errors":[' %
        (status, REASONS[status].encode())), answer.body
    assert body["errors"] and all(list(entry) == ["field", "message"] for entry in body["errors"])
    assert all(isinstance(entry["message"], str) and entry["message"] for entry in body["errors"])
    if fields is not None:
        assert sorted(str(entry["field"]) for entry in body["errors"]) == sorted(fields), body
    return body["errors"]


def check_method(method, created=False):
    keys = [key for key in METHOD_KEYS if not (created and key == "updated_on")]
    assert list(method) == keys
    assert UUID.match(method["uuid"])
    assert DATE.match(method["created_on"])
    assert method["password"] in ("********", None)


def check_trunk(trunk):
    assert list(trunk) == TRUNK_KEYS
    assert UUID.match(trunk["uuid"])
    assert DATE.match(trunk["created_on"]) and DATE.match(trunk["updated_on"])


def new_ip(start=[0]):
    """An address no test has used: 100.64.0.0/10 counts up."""
    start[0] += 1
    return f"100.{64 + (start[0] >> 16)}.{start[0] >> 8 & 255}.{start[0] & 255}"


def new_user(start=[0]):
    start[0] += 1
    return f"user-{start[0]}"
