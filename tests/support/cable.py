"""A cable between workers and a gateway's worker port, which can be cut without either being told: what is on its
way stays there, as TCP keeps it, and arrives when the cable is whole again. Needs no root; see network.py for the
kind where frames are lost.

    cable = Cable(to=port)        # listens at cable.port
    cable.cut(to_there=True)      # what workers send does not arrive; what the gateway sends comes
    cable.heal()
    cable.close()
"""

import contextlib
import selectors
import socket
import threading

CHUNK = 1 << 16


class End:
    """One direction: what source says, target hears."""

    def __init__(self, source, target, outward):
        self.source, self.target, self.outward = source, target, outward
        self.waiting = b""


class Cable:
    def __init__(self, to):
        self.to = to
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port = self.listener.getsockname()[1]
        self.ends = {}  # socket: (what it says, what it hears)
        self.held = set()  # directions that are cut: True is outward, to the gateway
        self.woken, self.wake = socket.socketpair()
        self.closing = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def cut(self, to_there=False, to_here=False):
        self.held = {outward for outward, cut in ((True, to_there), (False, to_here)) if cut}
        self.wake.send(b".")

    def heal(self):
        self.cut()

    def close(self):
        self.closing = True
        self.wake.send(b".")
        self.thread.join()

    # ---- its thread ----

    def run(self):
        with selectors.DefaultSelector() as selector:
            self.selector = selector
            selector.register(self.listener, selectors.EVENT_READ)
            selector.register(self.woken, selectors.EVENT_READ)
            while not self.closing:
                for key, events in selector.select():
                    self.serve(key.fileobj, events)
        for line in (*self.ends, self.listener, self.woken, self.wake):
            line.close()

    def serve(self, line, events):
        if line is self.listener:
            self.join()
        elif line is self.woken:
            self.woken.recv(100)
            for each in list(self.ends):
                self.watch(each)
        elif line in self.ends:
            said, heard = self.ends[line]
            try:
                if events & selectors.EVENT_WRITE:
                    heard.waiting = heard.waiting[line.send(heard.waiting):]
                if events & selectors.EVENT_READ:
                    said.waiting = line.recv(CHUNK)
                    if not said.waiting:
                        raise ConnectionError
                    if said.outward not in self.held:
                        said.waiting = said.waiting[said.target.send(said.waiting):]
            except BlockingIOError:
                pass
            except OSError:
                self.part(said)
                return
            self.watch(said.source)
            self.watch(said.target)

    def join(self):
        near = self.listener.accept()[0]
        try:
            far = socket.create_connection(("127.0.0.1", self.to), timeout=5)
        except OSError:
            near.close()  # nobody is there
            return
        out, back = End(near, far, True), End(far, near, False)
        self.ends[near], self.ends[far] = (out, back), (back, out)
        for line in near, far:
            line.setblocking(False)
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.watch(line)

    def watch(self, line):
        """Reads while there is nothing that waits, writes while there is and may. An end is seen when nothing waits."""
        said, heard = self.ends[line]
        events = 0
        if not said.waiting and said.outward not in self.held:
            events |= selectors.EVENT_READ
        if heard.waiting and heard.outward not in self.held:
            events |= selectors.EVENT_WRITE
        with contextlib.suppress(KeyError):
            self.selector.unregister(line)
        if events:
            self.selector.register(line, events)

    def part(self, end):
        for line in end.source, end.target:
            with contextlib.suppress(KeyError):
                self.selector.unregister(line)
            del self.ends[line]
            line.close()
