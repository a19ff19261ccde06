"""Reads the text exposition format 0.0.4, strictly: whatever Prometheus would refuse, or a careful
reader would call wrong, fails here.

    numbers = metrics.parse(metrics.scrape(port))
    numbers["lk_refusals_total", (("program", "gateway"), ("reason", "key"))]
    metrics.total(numbers, "lk_refusals_total", reason="key")
"""

import http.client
import re

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*$")
LINE = re.compile(r"(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(?P<labels>.*)\})? (?P<value>\S+)$")
LABEL = re.compile(r'(?P<name>[a-zA-Z_][a-zA-Z0-9_]*)="(?P<value>(?:[^"\\\n]|\\[\\n"])*)"(?:,|$)')
NUMBER = re.compile(r"-?\d+(\.\d+)?$")
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("",), "gauge": ("",)}
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def scrape(port, timeout=20):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    connection.request("GET", "/metrics")
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    assert answer.status == 200 and answer.headers["Content-Type"] == CONTENT_TYPE, answer.headers
    return body.decode("utf-8")


def read_labels(text):
    labels, at = [], 0
    while at < len(text):
        match = LABEL.match(text, at)
        assert match, f"labels: {text}"
        assert match["name"] not in dict(labels), f"twice: {text}"
        value = re.sub(r"\\(.)", lambda escaped: {"n": "\n"}.get(escaped[1], escaped[1]), match["value"])
        labels.append((match["name"], value))
        at = match.end()
    return tuple(labels)


def parse(text):
    """{(name, labels): number}; labels in their order, as pairs. A histogram has _bucket, _sum, _count."""
    assert text.endswith("\n") and "\r" not in text
    types, numbers, family = {}, {}, None
    helped = set()
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            family, help_text = line[7:].split(" ", 1)
            assert NAME.match(family) and help_text and family not in helped, line
            helped.add(family)
        elif line.startswith("# TYPE "):
            name, kind = line[7:].split(" ")
            assert name == family and name not in types and kind in SUFFIXES, line
            assert (kind == "counter") == name.endswith("_total"), line
            types[name] = kind
        else:
            match = LINE.match(line)
            assert match, f"no sample: {line!r}"
            assert match["name"].removeprefix(family) in SUFFIXES[types[family]], line
            assert NUMBER.match(match["value"]), line
            at = (match["name"], read_labels(match["labels"] or ""))
            assert at not in numbers, f"twice: {line}"
            numbers[at] = float(match["value"])
    assert helped == set(types)
    for name in (name for name, kind in types.items() if kind == "histogram"):
        check_histogram(name, numbers)
    return numbers


def check_histogram(name, numbers):
    series = {}
    for (sample, labels), value in numbers.items():
        if sample == name + "_bucket":
            assert labels[-1][0] == "le"
            series.setdefault(labels[:-1], []).append((float(labels[-1][1]), value))
    assert {labels for sample, labels in numbers if sample == name + "_count"} == set(series)
    for labels, buckets in series.items():
        assert buckets == sorted(buckets) and buckets[-1][0] == float("inf"), (name, buckets)
        counts = [count for _, count in buckets]
        assert counts == sorted(counts), (name, buckets)
        assert counts[-1] == numbers[name + "_count", labels]
        assert numbers[name + "_sum", labels] >= 0


def total(numbers, name, **labels):
    """The sum of all series of that name which have these labels."""
    return sum(value for (sample, found), value in numbers.items()
               if sample == name and set(labels.items()) <= set(found))
