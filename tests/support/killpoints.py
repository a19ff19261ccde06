"""Ends a process at one exact moment of a write (killpoint.c), by no luck and no clock.

    with Suite(workers=0) as suite:
        points = KillPoints(suite)
        suite.start_worker()
        points.arm("committed")
        suite.call("POST", ...)                 # its worker dies when COMMIT has returned
        points.await_fired()
        points.replace_dead()
"""

import os
import signal

from suite import BIN, await_that

POINTS = ("prepared", "written", "synced", "committed", "replying")  # of every write; "half" is of a group


class KillPoints:
    """For the workers that the suite starts from now on."""

    def __init__(self, suite):
        self.suite = suite
        self.directory = suite.directory / "killpoints"
        self.directory.mkdir()
        library = BIN.parent / "tests/killpoint.so"
        assert library.exists(), library
        suite.worker_settings = suite.worker_settings | {
            "LD_PRELOAD": str(library), "KILLPOINTS": str(self.directory),
            "ASAN_OPTIONS": f"{os.environ.get('ASAN_OPTIONS', '')}:verify_asan_link_order=0"}

    def arm(self, point, write=1, times=1, whom=0, how=signal.SIGKILL):
        """The first processes, as many as times, that come to the point with so many writes in hand send the
        signal: to themselves, or to the process whom."""
        for number in range(times):
            draft = self.directory / "draft"
            draft.write_text(f"{write} {whom} {int(how)}\n")
            draft.rename(self.directory / f"{point}.{number}")

    def await_fired(self):
        await_that(lambda: not os.listdir(self.directory), 30, "the moment comes")

    def replace_dead(self, number=1):
        """Once so many workers have died by it, there are as many new ones, which have joined."""
        def dead():
            return [worker for worker in self.suite.workers if not worker.alive() and not worker.expected_end]

        await_that(lambda: len(dead()) >= number, 20, f"{number} die")
        for worker in dead():
            assert worker.popen.returncode == -signal.SIGKILL, worker.popen.returncode
            worker.expected_end = True
            self.suite.await_joined(self.suite.start_worker(worker.name.split(".")[0]))
