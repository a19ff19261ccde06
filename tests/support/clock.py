"""A suite whose wall clock jumps (clock_shift.c)."""

from suite import BIN, Suite

HOUR, DAY = 3600, 24 * 3600


class Clocked(Suite):
    """Programs whose wall clock is off by what its file says."""

    def __init__(self, **named):
        super().__init__(**named)
        self.clock = self.directory / "clock"
        self.shift(0)

    def environment(self, extra=None):
        preload = {"LD_PRELOAD": str(BIN.parent / "tests/clock-shift.so"), "LK_TEST_CLOCK": str(self.clock)}
        return {**super().environment(extra), **preload}

    def shift(self, seconds):
        fresh = self.clock.with_suffix(".new")
        fresh.write_text(str(seconds))
        fresh.rename(self.clock)
