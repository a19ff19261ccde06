"""A write is applied once, whoever sends it again, and whenever its worker or gateway dies. Every test is run
in all services, with all that they write, and ends with the outcome log compared with the database."""

import concurrent.futures
import itertools
import signal
import socket

from killpoints import POINTS
from suite import SLOW, await_that
from worlds import World, in_every_service
from writes import STEPS

ROUNDS = 2 if SLOW == 1 else 1  # each write dies at so many of the points: at all of them after len(POINTS)
CLIENTS = 8
SOME = {"trunk-auth": ("trunk", "hash user"), "fqdn-auth": ("connection", "hash authentication"),
        "auth-provider": ("provider", "change provider")}


def test_a_worker_dies_at_every_moment_of_every_write():
    """The gateway sends it again, and the client sees a wait."""
    def test(service):
        with World(service) as world:
            at = itertools.count()
            for _ in range(ROUNDS):
                for step in world.steps():
                    world.points.arm(POINTS[next(at) % len(POINTS)])
                    step.send(world.begin(step), world.client)
                    world.points.await_fired()
                    world.points.replace_dead()
                next(at)
            return world.log.check()

    assert in_every_service(test) == ROUNDS * STEPS


def test_a_worker_dies_in_the_middle_of_a_group():
    """The writes of several clients are one transaction: all of it is done or nothing."""
    points = itertools.cycle(("half", *POINTS))

    def test(service):
        with World(service) as world, concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
            clients = [world.client_of(0) for _ in range(CLIENTS)]
            for steps in zip(*(world.steps() for _ in range(CLIENTS))):
                with world.at_the_gate(steps[0].what, CLIENTS) as await_there:
                    sent = [pool.submit(step.send, world.begin(step), client)
                            for step, client in zip(steps, clients)]
                    await_there()
                    world.points.arm(next(points), write=2)
                concurrent.futures.wait(sent)
                world.points.await_fired()
                world.points.replace_dead()
            return world.log.check()

    assert in_every_service(test) == CLIENTS * STEPS


def test_a_gateway_dies_before_and_after_the_commit():
    """Its client, cut off, asks the other one under the same key."""
    def test(service):
        with World(service, gateways=2) as world:
            points = itertools.cycle(("prepared", "committed"))
            for number, step in enumerate(world.steps()):
                victim, line = number % 2, world.begin(step, keyed=True)
                world.points.arm(next(points), whom=world.gateways[victim].pid)
                assert step.send(line, world.client_of(victim)) is None and line.told == ["cut"]
                world.gateways[victim].expected_end = True
                world.gateways[victim].popen.wait(20 * SLOW)  # only then its port is free
                answer = step.send(line, world.client_of(1 - victim))
                assert answer.headers["Idempotent-Replayed"] == "true"
                world.points.await_fired()
                world.start_gateway(victim)
                world.await_ready()
            world.client.close()
            return world.log.check()

    assert in_every_service(test) == STEPS


def test_the_only_worker_dies_after_the_commit():
    """The client is told that nobody knows; under the same key it is told later what had been done."""
    def test(service):
        with World(service, workers=1) as world:
            for step in world.steps(only=SOME[service]):
                line = world.begin(step, keyed=True)
                world.points.arm("committed")
                assert step.send(line, world.client).status == 504
                world.points.replace_dead()
                assert step.send(line, world.client).headers["Idempotent-Replayed"] == "true"
                assert line.told == [504, step.wanted]
            return world.log.check()

    assert in_every_service(test) == STEPS


def test_three_workers_die_over_one_write():
    """It is refused then, applied by none of them, and may be sent again."""
    def test(service):
        with World(service, workers=3) as world:
            for step in world.steps(only=SOME[service]):
                line = world.begin(step, keyed=True)
                world.points.arm("prepared", times=3)
                assert step.send(line, world.client).status == 500
                world.points.replace_dead(3)
                step.send(line, world.client)
                assert line.told == [500, step.wanted]
            assert len(world.grep_logs(rb" event=poison ", "gateway")) == len(SOME[service])
            return world.log.check()

    assert in_every_service(test) == STEPS


def test_a_worker_is_stopped_in_a_write_and_goes_on():
    """It is given up for its silence, perhaps with the gate in its hand; when it goes on, its reply comes too late."""
    def test(service):
        with World(service) as world, concurrent.futures.ThreadPoolExecutor(1) as pool:
            points = itertools.cycle(("committed", "replying", "prepared"))
            for step in itertools.chain(world.steps(only=SOME[service]), world.steps(only=SOME[service])):
                missed = len(world.silent())
                world.points.arm(next(points), how=signal.SIGSTOP)
                sent = pool.submit(step.send, world.begin(step), world.client)
                world.points.await_fired()
                await_that(lambda: len(world.silent()) > missed, 20, "it is missed")
                for worker in world.workers:
                    worker.popen.send_signal(signal.SIGCONT)
                sent.result()
                await_that(lambda: world.live() == 2, 20, "it is back")
            return world.log.check()

    assert in_every_service(test) == 2 * STEPS


def test_a_client_leaves_before_the_answer():
    def test(service):
        with World(service) as world:
            for step in world.steps(only=SOME[service]):
                line = world.begin(step, keyed=True)
                with (world.at_the_gate(step.what, 1) as await_there,
                      socket.create_connection(("127.0.0.1", world.port)) as cut):
                    cut.sendall(step.raw(world.admin))
                    await_there()
                line.told.append("cut")
                assert step.send(line, world.client).headers["Idempotent-Replayed"] == "true"
            return world.log.check()

    assert in_every_service(test) == STEPS


def test_each_key_is_for_one_request():
    """Sent again it is answered again, byte for byte; with another body it is refused, and changes nothing."""
    def test(service):
        with World(service) as world:
            for step in world.steps():
                line = world.begin(step, keyed=True)
                first = step.send(line, world.client)
                again = step.send(line, world.client)
                assert again.headers["Idempotent-Replayed"] == "true"
                assert (again.status, again.body) == (first.status, first.body), step.what
                if other := step.other_body():
                    assert step.send(line, world.client, other).status == 422
            return world.log.check()

    assert in_every_service(test) == STEPS
