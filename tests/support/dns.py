"""A DNS server for tests, UDP and TCP on one port, whose answers change and whose manners are bad.

    with Dns() as dns:
        dns.set("pbx.example.com", "A", ["9.9.9.9"], ttl=60)
        dns.set("_sip._udp.example.com", "SRV", [(10, 5, 5060, "pbx.example.com")])
        dns.set("alias.example.com", "CNAME", ["pbx.example.com"])
        dns.behave("pbx.example.com", "servfail")        # or a function: see the behaviours below
        worker_settings={"LK_DNS_SERVERS": dns.address}

A name that nothing is set for does not exist (NXDOMAIN); one without that type has no data.
"""

import ipaddress
import random
import socket
import struct
import threading

from suite import await_that

TYPES = {"A": 1, "CNAME": 5, "AAAA": 28, "SRV": 33}
NAMES = {number: name for name, number in TYPES.items()}
SERVFAIL, NXDOMAIN, REFUSED = 2, 3, 5
RESPONSE, AUTHORITY, CUT, ASKED, RECURSION = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080


def pack_name(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".") if label) + b"\0"


def pack_data(kind, value):
    if kind in ("A", "AAAA"):
        return ipaddress.ip_address(value).packed
    if kind == "CNAME":
        return pack_name(value)
    priority, weight, port, target = value
    return struct.pack("!HHH", priority, weight, port) + pack_name(target)


def record(name, kind, value, ttl=60):
    data = pack_data(kind, value)
    return pack_name(name) + struct.pack("!HHIH", TYPES[kind], 1, ttl, len(data)) + data


class Query:
    def __init__(self, message):
        self.id, self.flags = struct.unpack_from("!HH", message)
        labels, at = [], 12
        while message[at]:
            labels.append(message[at + 1:at + 1 + message[at]].decode())
            at += 1 + message[at]
        self.name = ".".join(labels).lower()
        self.kind = NAMES.get(struct.unpack_from("!H", message, at + 1)[0], "?")
        self.question = message[12:at + 5]

    def reply(self, records=(), rcode=0, flags=RECURSION, number=None, question=None):
        head = struct.pack("!HHHHHH", self.id if number is None else number, RESPONSE | ASKED | flags | rcode, 1, len(records), 0, 0)
        return head + (question or self.question) + b"".join(records)


class Dns:
    def __init__(self):
        self.lock = threading.Lock()
        self.records, self.behaviours, self.asked = {}, {}, []
        self.ending = threading.Event()
        while True:
            self.tcp = socket.create_server(("127.0.0.1", 0))
            self.port = self.tcp.getsockname()[1]
            self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                self.udp.bind(("127.0.0.1", self.port))
                break
            except OSError:
                self.tcp.close()
                self.udp.close()
        self.address = f"127.0.0.1:{self.port}"
        self.threads = [threading.Thread(target=work, daemon=True) for work in (self._serve_udp, self._serve_tcp)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.udp.close()
        self.tcp.close()

    # ---- what it says ----

    def set(self, name, kind, values, ttl=60):
        with self.lock:
            self.records[name, kind] = (list(values), ttl)

    def drop(self, name):
        with self.lock:
            for key in [key for key in self.records if key[0] == name]:
                del self.records[key]

    def behave(self, name, how=None, kind=None):
        """how: a word below or a function(dns, query, tcp) that returns messages; None: well again."""
        with self.lock:
            self.behaviours[name, kind] = how

    def count(self, name, kind=None, tcp=None):
        """How often that has been asked for."""
        with self.lock:
            return sum(1 for query, over_tcp in self.asked
                       if query.name == name and kind in (None, query.kind) and tcp in (None, over_tcp))

    def await_asked(self, name, more, kind=None, seconds=30):
        await_that(lambda: self.count(name, kind) >= more, seconds, f"{name} is asked for")

    def truth(self, query):
        with self.lock:
            return self._truth(query)

    def _truth(self, query):
        records, name = [], query.name
        for _ in range(12):
            values, ttl = self.records.get((name, query.kind), ((), 0))
            if values:
                return query.reply(records + [record(name, query.kind, value, ttl) for value in values])
            alias, ttl = self.records.get((name, "CNAME"), ((), 0))
            if not alias:
                break
            records.append(record(name, "CNAME", alias[0], ttl))
            name = alias[0]
        exists = any(known == name for known, _ in self.records)
        return query.reply(records, 0 if exists else NXDOMAIN)

    # ---- how it says it ----

    def _answers(self, message, tcp):
        query = Query(message)
        with self.lock:
            self.asked.append((query, tcp))
            how = self.behaviours.get((query.name, query.kind)) or self.behaviours.get((query.name, None))
        return how(self, query, tcp) if how else [self.truth(query)]

    def _send(self, answers, send, limit):
        for answer in answers:
            if isinstance(answer, float):
                self.ending.wait(answer)
            elif limit and len(answer) > limit:
                number, flags = struct.unpack_from("!HH", answer)
                question = answer[12:answer.index(b"\0", 12) + 5]
                send(struct.pack("!HHHHHH", number, flags | CUT, 1, 0, 0, 0) + question)
            else:
                send(answer)

    def _serve_udp(self):
        while not self.ending.is_set():
            try:
                message, client = self.udp.recvfrom(4096)
            except OSError:
                return
            threading.Thread(target=self._serve_one, args=(message, client), daemon=True).start()

    def _serve_one(self, message, client):
        try:
            self._send(self._answers(message, False), lambda answer: self.udp.sendto(answer, client), 512)
        except OSError:
            pass  # it has ended

    def _serve_tcp(self):
        while not self.ending.is_set():
            try:
                line, _ = self.tcp.accept()
            except OSError:
                return
            threading.Thread(target=self._serve_line, args=(line,), daemon=True).start()

    def _serve_line(self, line):
        with line:
            line.settimeout(30)
            try:
                while size := line.recv(2, socket.MSG_WAITALL):
                    message = line.recv(struct.unpack("!H", size)[0], socket.MSG_WAITALL)
                    self._send(self._answers(message, True),
                               lambda answer: line.sendall(struct.pack("!H", len(answer)) + answer), 0)
            except (OSError, struct.error):
                pass


# ---- behaviours ----

def servfail(_dns, query, _tcp):
    return [query.reply(rcode=SERVFAIL)]


def refused(_dns, query, _tcp):
    return [query.reply(rcode=REFUSED)]


def silent(_dns, _query, _tcp):
    return []


def referral(_dns, query, _tcp):
    """Nothing, from one that neither recurses nor has authority."""
    return [query.reply(flags=0)]


def late(seconds):
    return lambda dns, query, _tcp: [float(seconds), dns.truth(query)]


def saying(*records):
    """These records, whatever is asked."""
    return lambda _dns, query, _tcp: [query.reply(records)]


def wrong_id(_dns, query, _tcp):
    guess = random.randrange(1 << 16)
    return [query.reply([record(query.name, "A", "9.9.9.66")], number=guess ^ (guess == query.id))]


def other_question(_dns, query, _tcp):
    asked = pack_name("liar.example.com") + struct.pack("!HH", 1, 1)
    return [query.reply([record("liar.example.com", "A", "9.9.9.66")], question=asked)]


def garbage(_dns, query, _tcp):
    return [query.reply()[:12] + b"\xc0\x0c\xff" * 9]


def cut_everywhere(_dns, query, tcp):
    """Truncated, over TCP too."""
    return [query.reply(flags=RECURSION | CUT)]


def huge(dns, query, tcp):
    """More than anybody's equipment has, which only TCP can carry."""
    if query.kind != "A":
        return [dns.truth(query)]
    return [query.reply([record(query.name, "A", f"9.9.{i // 250}.{i % 250 + 1}") for i in range(2000)])]
