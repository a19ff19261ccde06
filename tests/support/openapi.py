"""What the gateway answers, held against its own OpenAPI document: an answer of an operation must
have a status, a media type and a body that the document declares for it. Answers of routes and
methods that it does not know are somebody else's.

    openapi.load(port)                    once a process; before it, nothing is checked
    openapi.check("GET", "/voip/trunk", answer)
"""

import http.client
import json
import re

from jsonschema import Draft202012Validator, FormatChecker

FORMATS = FormatChecker(["uuid", "date"])
FORMATS.checks("date-time")(lambda text: not isinstance(text, str) or bool(
    re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", text)))


class Document:
    def __init__(self, spec):
        self.spec = spec
        self.validators = {}
        self.seen = set()  # answers that were good: tests get many of them again and again
        # Literal paths come before those with parameters.
        self.paths = [(re.compile(re.sub(r"\\\{.*?\\\}", "[^/]+", re.escape(path))), path)
                      for path in sorted(spec["paths"], key=lambda path: (path.count("{"), path))]

    def follow(self, part):
        """What a $ref stands for, or the part itself."""
        while "$ref" in part:
            target = self.spec
            for word in part["$ref"].removeprefix("#/").split("/"):
                target = target[word.replace("~1", "/").replace("~0", "~")]
            part = target
        return part

    def find(self, url):
        """The path's template, or None."""
        path = url.split("?")[0]
        return next((name for pattern, name in self.paths if pattern.fullmatch(path)), None)

    def operation(self, method, url):
        name = self.find(url)
        return self.spec["paths"][name].get(method.lower()) if name else None

    def closed(self, schema):
        """The schema with its references filled in; objects have no members that it does not name."""
        if isinstance(schema, list):
            return [self.closed(part) for part in schema]
        if not isinstance(schema, dict):
            return schema
        filled = {name: self.closed(part) for name, part in self.follow(schema).items()
                  if name not in ("description", "example", "examples", "default", "properties")}
        members = self.follow(schema).get("properties")
        if members is not None:
            filled["properties"] = {name: self.closed(part) for name, part in members.items()}
            filled.setdefault("additionalProperties", False)
        return filled

    def validator(self, operation, status, media):
        key = (operation["operationId"], status, media)
        if key not in self.validators:
            schema = self.follow(operation["responses"][str(status)])["content"][media].get("schema", {})
            self.validators[key] = Draft202012Validator(self.closed(schema), format_checker=FORMATS)
        return self.validators[key]

    def flaws(self, operation, answer, media):
        try:
            found = self.validator(operation, answer.status, media).iter_errors(answer.json)
        except ValueError:
            return [f"no JSON: {answer.body[:200]}"]
        return sorted(f"{flaw.json_path}: {flaw.message[:300]}" for flaw in found)

    def check(self, method, url, answer):
        operation = self.operation("GET" if method == "HEAD" else method, url)
        if operation is None or (method == "HEAD" and answer.status == 405):  # another method than GET, there
            return
        what = f"{method} {url[:100]} ({operation['operationId']}) answered {answer.status}"
        media = (answer.headers["Content-Type"] or "").split(";")[0]
        seen = (operation["operationId"], answer.status, media, answer.body)
        if seen in self.seen:
            return
        assert str(answer.status) in operation["responses"], f"{what}, which the document does not declare"
        content = self.follow(operation["responses"][str(answer.status)]).get("content")
        if method == "HEAD" or (not content and not answer.body):
            return
        assert content and media in content, f"{what} as {media!r}; the document has {list(content or [])}"
        if media == "application/json":
            flaws = self.flaws(operation, answer, media)
            assert not flaws, f"{what}, not as the document says:\n  " + "\n  ".join(flaws[:10])
        if len(answer.body) < 4096 and len(self.seen) < 10000:
            self.seen.add(seen)


document = None


def load(port):
    """Asks a gateway for its document. All of one process's are the same program."""
    global document
    if document is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", "/openapi.json")
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        assert answer.status == 200, f"GET /openapi.json answered {answer.status}"
        document = Document(json.loads(text))


def check(method, url, answer):
    if document is not None:
        document.check(method, url, answer)
