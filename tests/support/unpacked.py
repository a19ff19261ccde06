"""Programs of Debian that the tests run but nobody installs: a service of theirs would start. They are the machine's
own, or what tests/run.sh has unpacked into build/NAME.

    kamailio = Unpacked("kamailio")
    kamailio.path               # None where it can't be had
    kamailio.environment        # where its libraries are
    kamailio.under("usr/share/freeradius")    # a file or folder of its packages; a pattern; None: not there
"""

import os
import pathlib
import shutil

from suite import ROOT


class Unpacked:
    def __init__(self, folder, program=None):
        program = program or folder
        self.root = pathlib.Path("/")
        self.path = shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin")
        self.environment = {}
        if self.path is None:
            self.root = ROOT / "build" / folder
            self.path = shutil.which(program, path=f"{self.root}/usr/sbin:{self.root}/usr/bin")
            libraries = [*self.root.glob("usr/lib/*-linux-gnu*"), *self.root.glob("usr/lib/*-linux-gnu*/kamailio"), self.root / "usr/lib/freeradius"]
            self.environment = {"LD_LIBRARY_PATH": ":".join(map(str, libraries))}

    def under(self, pattern):
        return next(iter(sorted(self.root.glob(pattern))), None)
