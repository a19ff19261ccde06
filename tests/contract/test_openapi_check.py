"""What every other test relies on: an answer that the OpenAPI document does not declare is found."""

import email.message
import json

import pytest
from openapi import Document
from suite import Answer

THING = {"type": "object", "required": ["id"], "properties": {
    "id": {"type": "string", "format": "uuid"}, "at": {"type": ["string", "null"], "format": "date-time"},
    "part": {"anyOf": [{"$ref": "#/components/schemas/part"}, {"type": "null"}]}}}
DOCUMENT = Document({
    "paths": {
        "/things/{id}": {
            "get": {"operationId": "read", "responses": {
                "200": {"description": "", "content": {"application/json": {"schema": {
                    "type": "object", "properties": {"data": {"$ref": "#/components/schemas/thing"}}}}}},
                "204": {"description": ""}, "404": {"$ref": "#/components/responses/none"}}}},
        "/things/own": {"get": {"operationId": "own", "responses": {"204": {"description": ""}}}},
    },
    "components": {
        "schemas": {"thing": THING, "part": {"type": "object", "properties": {"example": {"type": "integer"}}}},
        "responses": {"none": {"description": "", "content": {"application/json": {"schema": {"type": "array"}}}}},
    },
})
ID = "01890000-0000-7000-8000-000000000000"


def check(status, body=None, method="GET", path="/things/1?x=y", media="application/json"):
    headers = email.message.Message()
    headers["Content-Type"] = media
    DOCUMENT.check(method, path, Answer(status, headers, b"" if body is None else json.dumps(body).encode()))


@pytest.mark.parametrize("good", [
    dict(status=200, body={"data": {"id": ID, "at": "2018-02-02T22:25:27.521Z", "part": {"example": 5}}}),
    dict(status=200, body={"data": {"id": ID, "at": None, "part": None}}),
    dict(status=200, body={"data": {"id": ID}}, media="application/json; charset=utf-8"),
    dict(status=204), dict(status=404, body=[]), dict(status=204, path="/things/own"),
    dict(status=200, method="HEAD"), dict(status=405, method="PUT"), dict(status=500, path="/other"),
    dict(status=404, path="/things/1/2"),
])
def test_good(good):
    check(**good)


@pytest.mark.parametrize("bad", [
    dict(status=201, body={"data": {"id": ID}}), dict(status=201, method="HEAD"), dict(status=204, body={}),
    dict(status=200), dict(status=200, body={"data": {"id": ID}}, media="text/html"),
    dict(status=200, body={"data": {"id": "x"}}), dict(status=200, body={"data": {}}),
    dict(status=200, body={"data": {"id": ID, "more": 1}}), dict(status=200, body={"data": {"id": ID}, "more": 1}),
    dict(status=200, body={"data": {"id": ID, "at": "yesterday"}}),
    dict(status=200, body={"data": {"id": ID, "part": {"example": "5"}}}),
    dict(status=200, body={"data": {"id": ID, "part": {"other": 5}}}),
    dict(status=404, body={}), dict(status=200, body={"data": {"id": ID}}, path="/things/own"),
])
def test_bad(bad):
    with pytest.raises(AssertionError):
        check(**bad)
