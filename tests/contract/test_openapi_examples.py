"""Every request example of the OpenAPI document is sent, and answered with success as the document
says; what was sent stands in the answer, but for secrets.

What a call is authorized by need not exist: such an answer is 404 and says so by its reason. Nor is there metadata to
refresh from: that is 422.

The order comes from the paths alone: down the tree of their segments, where the POST of /a makes the
{id} of /a/{id} and of all below, and DELETE comes last.
"""

import json
import re
import urllib.parse

import openapi
from suite import every_service

SERVICES = every_service()
METHODS = ["post", "get", "put", "patch"]
FORM = "application/x-www-form-urlencoded"


def test_examples(suite):
    asker = Asker(suite)
    asker.visit("")
    asker.give_back()
    every = {(path, method) for path, operations in asker.paths.items() for method in operations}
    assert asker.asked == every and len(every) > 10


class Asker:
    def __init__(self, suite):
        self.suite, self.document = suite, openapi.document
        # Parameters have no names here: a segment's place says which it is.
        self.paths = {bare(path): item for path, item in self.document.spec["paths"].items()}
        self.ids = {}       # path of an item -> the id of the one that was made last
        self.borrowed = {}  # path of a collection -> the id that examples elsewhere refer to
        self.asked = set()

    def visit(self, path):
        operations = self.paths.get(path, {})
        for method in METHODS:
            if method in operations:
                made = self.ask(path, method)
                if method == "post":
                    self.ids[f"{path}/{{}}"] = identifier(made)
        children = {path + re.match("/[^/]*", below[len(path):])[0]
                    for below in self.paths if below.startswith(f"{path}/")}
        for child in sorted(children):
            self.visit(child)
        if "delete" in operations:
            self.ask(path, "delete")

    def ask(self, path, method):
        operation = self.paths[path][method]
        body = self.example(operation)
        answer = self.send(method, path, operation, body)  # checks it by the document
        what = f"{method.upper()} {path} with {body} answered {answer.status} {answer.body[:2000]}"
        assert str(answer.status) in operation["responses"], what
        assert answer.status in (200, 201, 204) or is_open(operation) or is_denial(answer) or has_no_metadata(path, answer) or \
            is_nobodys(path, answer), what
        for secret in self.secrets(operation):
            assert body.get(secret) is None or body[secret].encode() not in answer.body, what
        made = result(answer)
        assert not body or is_open(operation) or repeats(body, made), what
        self.asked.add((path, method))
        return made

    def send(self, method, path, operation, body):
        query = "&".join(f"{part['name']}={part['example']}" for part in self.parameters(operation, "query")
                         if part.get("required"))
        url = self.filled(path, operation) + ("?" + query if query else "")
        if FORM in operation.get("requestBody", {}).get("content", {}):
            return self.suite.call(method.upper(), url, raw=urllib.parse.urlencode(body).encode(), headers={"Content-Type": FORM})
        return self.suite.call(method.upper(), url, body)

    def parameters(self, operation, place):
        return [part for part in map(self.document.follow, operation["parameters"]) if part["in"] == place]

    def filled(self, path, operation):
        """The path with ids in it, or with the first word of a choice."""
        done, parts = "", iter(self.parameters(operation, "path"))
        for part in re.finditer("/[^/]*", path):
            if part[0] == "/{}":
                parameter = next(parts)
                words = parameter["schema"].get("enum")
                done += f"/{words[0] if words else self.ids.get(path[:part.end()]) or parameter['example']}"
            else:
                done += part[0]
        return done

    def content(self, operation):
        """Of its body, in its only form."""
        return next(iter(operation.get("requestBody", {}).get("content", {}).values()), {})

    def example(self, operation):
        body = self.content(operation).get("example")
        if body is None:
            return None
        return {name: self.reference(name) or value for name, value in body.items()}

    def reference(self, name):
        """connection_id is the id of something in .../connections or .../..._connections."""
        kind = name.removesuffix("_id") + "s"
        collection = next((path for path in self.paths if path.endswith(kind) and f"{path}/{{}}" in self.paths), None)
        if kind == f"{name}s" or collection is None:
            return None
        if collection not in self.borrowed:
            answer = self.suite.call("POST", collection, self.example(self.paths[collection]["post"]))
            self.borrowed[collection] = identifier(result(answer))
        return self.borrowed[collection]

    def give_back(self):
        for collection, borrowed in self.borrowed.items():
            assert self.suite.call("DELETE", f"{collection}/{borrowed}").status in (200, 204)

    def secrets(self, operation):
        schema = self.content(operation).get("schema", {})
        return [name for name, part in self.document.follow(schema).get("properties", {}).items()
                if part.get("format") == "password"]


def bare(path):
    return re.sub(r"\{.*?\}", "{}", path)


def is_open(operation):
    """For people who log in: a stranger with nothing in hand is sent on, or away; the document says where to."""
    return operation.get("security") == []


def is_denial(answer):
    return answer.status in (403, 404) and "reason" in answer.json["errors"][0]["meta"]


def has_no_metadata(path, answer):
    return path.endswith("/actions/refresh") and answer.status == 422


def is_nobodys(path, answer):
    """Nobody has logged in by a browser."""
    return path.endswith("/sessions/{}") and answer.status == 404


def result(answer):
    """What the dialect's envelope holds; nothing of a document."""
    if answer.headers["Content-Type"] != "application/json":
        return {}
    body = json.loads(answer.body or b"{}")
    return body.get("data", body.get("result", body)) if isinstance(body, dict) else body


def identifier(made):
    return made.get("id") or made.get("uuid")


def repeats(sent, received):
    """Whether what was sent is in the answer, as far as the answer shows such a member."""
    if isinstance(sent, dict) and isinstance(received, dict):
        return all(name not in received or repeats(value, received[name]) for name, value in sent.items())
    return received in (sent, "********")
