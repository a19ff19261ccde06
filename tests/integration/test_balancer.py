"""The load balancer of deploy/ where there is no engine: docs/deploying.md, "With systemd"."""

import concurrent.futures
import json
import re

import pytest
from balancer import HAPROXY, Balancer
from suite import ROOT, SLOW, Suite, await_that, every_service, free_port

pytestmark = pytest.mark.skipif(HAPROXY.path is None, reason="no haproxy")


def as_documented(suite, **settings):
    """With the settings of the document's call, but for the ports and the certificate."""
    call = re.search(r"^(LK_BALANCER_GATEWAYS=.*) haproxy ", (ROOT / "docs/deploying.md").read_text(encoding="utf-8"), re.M)[1]
    said = dict(setting.split("=", 1) for setting in call.split())
    del said["LK_BALANCER_TLS"]
    said["LK_BALANCER_GATEWAYS"] = said["LK_BALANCER_GATEWAYS"].replace(":8080", f":{suite.port}")
    return said | {"LK_BALANCER_RESOLVER": f"127.0.0.1:{free_port()}"} | settings  # no name server


def ask(balancer, method, path, body=None):
    """Status, Retry-After: its own refusals are in one form for all services, not in that of the API's document."""
    line = balancer.client(timeout=60 * SLOW).connect()
    line.request(method, path, body and json.dumps(body), {
        "Authorization": f"Bearer {balancer.suite.admin}", "Content-Type": "application/json"})
    answer = line.getresponse()
    answer.read()
    line.close()
    return answer.status, answer.headers["Retry-After"]


def test_one_gateway_at_an_address_is_one_server():
    with Suite(services=every_service()) as suite, Balancer(suite, [], **as_documented(suite)) as balancer:
        assert ask(balancer, "GET", "/voip/trunk") == (200, None)
        suite.gateway.stop()
        down = re.compile(r"Server (gateways/\w+) is DOWN")
        await_that(lambda: down.search(balancer.log.read_text()), 20, "it sees that the gateway has gone")
        assert ask(balancer, "GET", "/voip/trunk") == (503, "1")
        assert set(down.findall(balancer.log.read_text())) == {"gateways/gateway1"}


def test_who_waits_too_long_for_a_gateway_is_refused():
    with Suite(services=every_service(), worker_settings={"LK_PWHASH": "20:64", "LK_SLOW_THREADS": "1"},
               gateway_settings={"LK_ANSWER_MS": "60000"}) as suite:
        trunk = suite.make_trunk()
        with Balancer(suite, [], **as_documented(suite, LK_BALANCER_MAXCONN="1")) as balancer:
            def create(number):
                return ask(balancer, "POST", f"/voip/trunk/{trunk}/auth",
                           {"type": "sipuser", "username": f"user{number}", "password": "correct horse"})

            with concurrent.futures.ThreadPoolExecutor(12) as clients:
                answers = list(clients.map(create, range(12)))
        made, refused = answers.count((201, None)), answers.count((503, "1"))
        assert made and refused and made + refused == 12, answers
        assert len(suite.call("GET", f"/voip/trunk/{trunk}/auth").result) == made  # what was refused was not made
