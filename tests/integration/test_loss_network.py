"""The network between gateway and worker goes silent, one way or both, and comes back."""

import pytest
from loss import TRUNKS, Outcomes
from metrics import total
from network import Network
from suite import Client, Suite, await_that


@pytest.fixture(name="network", scope="module")
def network_of_its_own():
    with Network() as network:
        yield network


class Apart(Suite):
    """One worker beside the gateway, one at the other end of the network."""

    def __init__(self, network, near=True):
        super().__init__(workers=0)
        self.network, self.near = network, near
        self.link = f"tcp://{network.here}:{self.port + 1}"
        self.worker_settings = {"LK_GATEWAYS": self.link}
        self.gateway_settings = {"LK_WORKER_LISTEN": self.link}

    def __enter__(self):
        super().__enter__()
        if self.near:
            self.await_joined(self.start_worker())
        self.far = self._start("trunk-auth", self.worker_settings, before=self.network.command)
        self.workers.append(self.far)
        self.await_joined(self.far)
        return self

    def live(self):
        return total(self.metrics(self.gateway), "lk_workers", service="trunk-auth", state="live")

    def await_live(self, number):
        await_that(lambda: self.live() == number, 30, f"{number} workers are live")


CUTS = {"both ways": {"to_there": True, "to_here": True}, "requests": {"to_there": True}, "replies": {"to_here": True}}


@pytest.mark.parametrize("cut", CUTS)
def test_the_other_worker_serves_while_it_is_cut(network, cut):
    """Nobody is told of the cut: silence is. No request fails; the far worker is back by itself."""
    with Apart(network) as suite:
        outcomes = Outcomes(suite)
        client = Client(suite.port, suite.admin, strict=True)
        for _ in range(10):
            assert outcomes.write(client) == 201
        try:
            network.cut(**CUTS[cut])
            for _ in range(10):  # some are sent to the far one, and wait until it is given up
                assert outcomes.write(client) == 201
                assert client.call("GET", f"{TRUNKS}?limit=1").status == 200
            suite.await_live(1)
            for _ in range(10):
                assert outcomes.write(client) == 201
        finally:
            network.heal()
        suite.await_live(2)
        for _ in range(10):
            assert outcomes.write(client) == 201
        outcomes.check()
        assert all(process.alive() for process in suite.processes)
        assert total(suite.metrics(suite.gateway), "lk_workers_silent_total") >= 1


def test_the_only_worker_is_cut(network):
    """503 before anything was sent, 504 after; and what was told is so when the network is back."""
    with Apart(network, near=False) as suite:
        outcomes = Outcomes(suite)
        client = Client(suite.port, suite.admin, timeout=60)
        assert outcomes.write(client) == 201
        try:
            network.cut(to_here=True)  # the request arrives and is done; the reply does not come
            assert outcomes.write(client) == 504
            network.cut(to_there=True, to_here=True)
            suite.await_live(0)
            assert outcomes.write(client) == 503
            assert client.call("GET", TRUNKS).status == 503
        finally:
            network.heal()
        suite.await_live(1)
        outcomes.check()
        assert len(outcomes.stored()) in (1, 2)
        outcomes.write_again(client)
        assert len(outcomes.stored()) == 3
