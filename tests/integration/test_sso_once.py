"""A Response logs in once: sent many times at once, on whatever replica and gateway, and after whatever was killed."""

import collections
import concurrent.futures

import pytest
from killpoints import KillPoints
from sso_flow import Idp, single_sign_on, whose
from suite import Client, await_that

POSTS = 50
USED = {"request_used", "assertion_replayed"}


def at_once(login, form, ports, posts=POSTS):
    """As many posts of one form as that, each over a connection of its own that is open before any is sent."""
    clients = [Client(ports[number % len(ports)], timeout=60) for number in range(posts)]
    for client in clients:
        assert client.call("GET", "/healthz", key="").status == 200
    with concurrent.futures.ThreadPoolExecutor(posts) as pool:
        answers = list(pool.map(lambda client: login.post(client, form), clients))
    for client in clients:
        client.close()
    return answers


def assert_one(idp, answers):
    """One of them has a session; the others were told nothing but an event's id, and that says why."""
    good = [answer for answer in answers if answer.status == 200]
    assert len(good) == 1, collections.Counter(answer.status for answer in answers)
    assert {answer.status for answer in answers} <= {200, 403}
    events = idp.events()
    assert [one["succeeded"] for one in events].count(True) == 1
    assert {one["reason"] for one in events if not one["succeeded"]} <= USED
    return good[0].json["token"]


@pytest.fixture(scope="module")
def suite():
    suite = single_sign_on(workers=3, gateways=2)
    with suite:
        yield suite


@pytest.mark.parametrize("gateways", [1, 2])
def test_fifty_at_once(suite, gateways):
    idp = Idp(suite, f"at-once-{gateways}")
    login = idp.begin(suite.client)
    token = assert_one(idp, at_once(login, login.form(), suite.ports[:gateways]))
    assert whose(Client(suite.ports[-1]), token)
    assert len(idp.events()) == POSTS


def test_fifty_at_once_that_nobody_asked_for(suite):
    idp = Idp(suite, "unasked", allow_idp_initiated=True)
    login = idp.begin(suite.client)
    login.relay_state = "/voip"
    form = login.form(idp.message(None).signed())
    assert_one(idp, at_once(login, form, suite.ports))


def test_one_assertion_in_two_answers(suite):
    """One login's assertion is good for no other login, though it were to answer it."""
    idp = Idp(suite, "two-answers", allow_idp_initiated=True)
    client, form = suite.client, None
    message = idp.message(None)
    first, second = idp.begin(client), idp.begin(client)
    form = first.form(message.signed())
    assert first.post(client, form).status == 200
    assert second.post(client, second.form(message.but(response_id="_other").signed())).status == 403
    assert idp.reasons() == ["assertion_replayed"]


def test_two_browsers(suite):
    """An answer is for the browser that asked; the login waits on for that one."""
    idp = Idp(suite, "browsers")
    ours, theirs = idp.begin(suite.client), idp.begin(suite.client)
    assert ours.cookie != theirs.cookie
    for cookie in (theirs.cookie, ""):
        assert ours.post(suite.client, cookie=cookie).status == 403
    mixed = ours.form()
    ours.relay_state, kept = theirs.relay_state, ours.relay_state
    assert ours.post(suite.client).status == 403
    ours.relay_state = kept
    assert idp.reasons() == ["relay_state_mismatch", "browser_mismatch", "browser_mismatch"]
    token = ours.post(suite.client, mixed).json["token"]
    assert whose(suite.client, token)
    assert theirs.post(suite.client).status == 200


def test_answers_to_others(suite):
    """What one provider signs, another does not take, though they share a key."""
    mine, other = Idp(suite, "mine"), Idp(suite, "other")
    login = other.begin(suite.client)
    answer = login.post(suite.client, login.form(mine.message(login.id).signed()))
    assert answer.status == 403
    begun = mine.begin(suite.client)
    taken = login.post(suite.client, login.form(other.message(begun.id).signed()))
    assert taken.status == 403 and other.reasons() == ["request_unknown", "issuer_mismatch"]


@pytest.mark.parametrize("point", ["prepared", "committed", "replying"])
def test_a_worker_dies_in_it(point):
    """Its gateway sends the login again to the other: the browser sees one success, and what it is told holds."""
    suite = single_sign_on(workers=0)
    with suite:
        points = KillPoints(suite)
        for _ in range(2):
            suite.start_worker("auth-provider")
        suite.await_ready()
        for worker in suite.workers:
            suite.await_joined(worker)
        idp = Idp(suite, "killed")
        login = idp.begin(suite.client)
        form = login.form()
        points.arm(point)
        answers = at_once(login, form, suite.ports, posts=8)
        points.await_fired()
        points.replace_dead()
        assert whose(suite.client, assert_one(idp, answers))
        for worker in suite.workers:
            if worker.alive():
                worker.stop()
        suite.await_joined(suite.start_worker("auth-provider"))
        assert login.post(suite.client, form).status == 403  # and after a restart of all
        assert [one["succeeded"] for one in idp.events()].count(True) == 1


def test_a_gateway_dies_in_it():
    """Who posted by it knows nothing; posted again to the other, it is one success or none."""
    suite = single_sign_on(workers=0, gateways=2)
    with suite:
        points = KillPoints(suite)
        suite.start_worker("auth-provider")
        suite.await_ready()
        idp = Idp(suite, "gateway")
        for point, committed in (("prepared", None), ("committed", None)):
            login = idp.begin(Client(suite.ports[1]))
            form = login.form()
            points.arm(point, whom=suite.gateways[0].pid)
            try:
                login.post(Client(suite.ports[0], strict=True), form)
                raise AssertionError("it was answered")
            except OSError:
                pass
            points.await_fired()
            suite.gateways[0].expected_end = True
            suite.gateways[0].popen.wait(20)
            again = login.post(Client(suite.ports[1]), form)
            assert again.status == 403  # the first one was carried out, though nobody heard of it
            suite.start_gateway(0)
            suite.await_ready()
            suite.client.close()
        assert [one["succeeded"] for one in idp.events(Client(suite.ports[1], suite.admin))].count(True) == 2


def test_a_restart_forgets_nothing():
    suite = single_sign_on(workers=1)
    with suite:
        idp = Idp(suite, "restart")
        done, waiting = idp.begin(suite.client), idp.begin(suite.client)
        form = done.form()
        token = done.post(suite.client, form).json["token"]
        suite.workers[0].kill()
        suite.gateway.kill()
        suite.start_gateway()
        suite.await_joined(suite.start_worker("auth-provider"))
        suite.client.close()
        await_that(lambda: suite.readiness() == 200, 15, "it is back")
        assert whose(suite.client, token)
        assert done.post(suite.client, form).status == 403
        assert waiting.post(suite.client).status == 200
