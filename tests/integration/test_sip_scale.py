"""Call authorization among 100,000 ranges: a list is whole, an address has its owner. How fast that
is, tests/bench tells."""

import subprocess

import pytest
from suite import BIN, SLOW, Client, Suite

RANGES = 100_000
ORGANIZATION = "01900000-0000-7000-8000-00000000000a"


@pytest.fixture(scope="module")
def suite():
    """The operator of an organization that has them all."""
    with Suite(worker_settings={"LK_SLOW_WAIT_MS": "60000"}, gateway_settings={"LK_ANSWER_MS": "60000"}) as running:
        command = [str(BIN.parent / "tests/seed-trunks"), "--data-dir", str(running.data), "--organization", ORGANIZATION,
                   "--trunks", "100", "--ranges", str(RANGES), "--ipv6"]
        subprocess.run(command, check=True, timeout=120 * SLOW, stdout=subprocess.DEVNULL)
        yield running


def address(number):
    """As the tool deals them out."""
    if number % 2 == 1:
        return f"2001:db8:{number >> 16:x}:{number & 0xffff:x}::/64"
    return f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}/32"


def test_a_list_is_whole(suite):
    client = Client(suite.port, suite.admin, timeout=90 * SLOW)
    answer = client.call("GET", "/v1/sip/trunks/acl")
    assert answer.status == 200, answer.body[:300]
    rows = {row["cidr"]: row for row in answer.json}
    assert len(answer.json) == RANGES and set(rows) == {address(number) for number in range(RANGES)}
    assert {row["organization_id"] for row in answer.json} == {ORGANIZATION}
    lines = client.call("GET", "/v1/sip/trunks/acl?format=kamailio").body.decode().splitlines()
    assert [(f"{line.split()[1]}/{line.split()[2]}", line.split()[4]) for line in lines] == \
        [(row["cidr"], row["subject"]) for row in answer.json]
    again = client.call("GET", "/v1/sip/trunks/acl", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")
    document = client.call("GET", "/v1/sip/trunks/acl?format=freeswitch").body.decode()
    assert document.count('<node type="allow"') == RANGES


def test_an_address_has_its_owner(suite):
    rows = {row["cidr"]: row["subject"] for row in Client(suite.port, suite.admin, timeout=90 * SLOW).call(
        "GET", "/v1/sip/trunks/acl").json}
    for number in [0, 1, 2, 3, 255, 256, 21845, 43690, 65535, 65536, 65537, RANGES - 1]:
        text = address(number)
        ip = text.split("/", maxsplit=1)[0] + ("ffff" if number % 2 else "")
        answer = suite.call("GET", f"/v1/sip/trunks/source?ip={ip}")
        assert answer.status == 200, (text, answer.body)
        assert answer.json["subject"] == rows[text]
        odd = ip.replace("2001:db8:", "2001:db9:") if number % 2 else ip.replace("10.", "11.", 1)
        assert suite.call("GET", f"/v1/sip/trunks/source?ip={odd}").status == 404
