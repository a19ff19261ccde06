"""A SIP client over UDP, written for tests: digest by any algorithm of RFC 8760, and every wrong way to use it.

    with Uac(port, "trunk1", "secret", host="127.0.0.5") as uac:
        assert uac.invite().status == 200     # INVITE, 407, ACK, INVITE with credentials, ACK
        assert uac.register().status == 200
        uac.sent                              # the last request as it was sent; uac.send(bytes) sends it again

And Core: the server behind the proxy, which takes every call.

RFC 3261 as far as it is needed: no resending, no timers but a deadline.
"""

import dataclasses
import hashlib
import re
import secrets
import socket
import threading

from suite import SLOW

HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}


def digest_hash(algorithm, text):
    return hashlib.new(HASHES[algorithm.removesuffix("-sess")], text.encode()).hexdigest()


@dataclasses.dataclass
class Message:
    """A response, or a request: status is 0 then."""
    status: int
    start: str
    headers: list
    raw: bytes

    @classmethod
    def parse(cls, raw):
        start, *lines = raw.split(b"\r\n\r\n")[0].decode().split("\r\n")
        headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines]
        return cls(int(start.split()[1]) if start.startswith("SIP/2.0 ") else 0, start, headers, raw)

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def get(self, name, default=""):
        return next(iter(self.all(name)), default)

    @property
    def method(self):
        return self.start.split()[0]

    @property
    def challenge(self):
        """The fields of the challenge: realm, nonce, qop, algorithm, stale."""
        text = self.get("Proxy-Authenticate") or self.get("WWW-Authenticate")
        return {name.lower(): quoted or bare for name, quoted, bare in re.findall(r'(\w+)=(?:"([^"]*)"|([^",\s]+))', text)}


def credentials(challenge, method, uri, user, password, *, nc=1, qop="auth", algorithm=None, cnonce=None, response=None):
    """The value of an Authorization header. qop=None: as RFC 2069 had it. response: that one, whatever is right."""
    algorithm = algorithm or challenge.get("algorithm", "MD5")
    cnonce = cnonce or secrets.token_hex(8)
    realm, nonce = challenge["realm"], challenge["nonce"]
    ha1 = digest_hash(algorithm, f"{user}:{realm}:{password}")
    ha2 = digest_hash(algorithm, f"{method}:{uri}")
    middle = f"{nc:08x}:{cnonce}:{qop}:" if qop else ""
    response = response or digest_hash(algorithm, f"{ha1}:{nonce}:{middle}{ha2}")
    value = f'Digest username="{user}", realm="{realm}", nonce="{nonce}", uri="{uri}", response="{response}", algorithm={algorithm}'
    return value + (f', qop={qop}, nc={nc:08x}, cnonce="{cnonce}"' if qop else "")


class Endpoint:
    def __init__(self, host):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((host, 0))
        self.host, self.port = self.socket.getsockname()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


class Uac(Endpoint):
    def __init__(self, port, user="nobody", password="", *, host="127.0.0.1", server="127.0.0.1", headers=(), **digest):
        """headers: more of them, on every request; digest: what credentials() takes."""
        super().__init__(host)
        self.server = (server, port)
        self.user, self.password, self.headers, self.digest = user, password, list(headers), digest
        self.sent = b""

    def send(self, raw):
        self.sent = raw
        self.socket.sendto(raw, self.server)

    def receive(self, seconds=15):
        """The next final response."""
        self.socket.settimeout(seconds * SLOW)
        while True:
            message = Message.parse(self.socket.recv(65536))
            if message.status >= 200:
                return message

    def compose(self, method, uri, call, sequence, more=(), to_tag=""):
        to = self.address() if method == "REGISTER" else f"<{uri}>"
        lines = [f"{method} {uri} SIP/2.0", f"Via: SIP/2.0/UDP {self.host}:{self.port};branch=z9hG4bK{secrets.token_hex(8)};rport",
                 f"From: {self.address()};tag={call}", f"To: {to}{to_tag}", f"Call-ID: {call}@{self.host}", f"CSeq: {sequence} {method}",
                 f"Contact: <sip:{self.host}:{self.port}>", "Max-Forwards: 70",
                 *[f"{name}: {value}" for name, value in (*self.headers, *more)], "Content-Length: 0"]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def address(self):
        return f"<sip:{re.sub('[^A-Za-z0-9._-]', '-', self.user) or 'nobody'}@example.com>"

    def ask(self, method, uri, call, sequence, more=()):
        """One request and its answer, acknowledged where it is an INVITE's."""
        request = self.compose(method, uri, call, sequence, more)
        self.send(request)
        answer = self.receive()
        if method == "INVITE":
            self.acknowledge(request, answer)
            self.sent = request
        return answer

    def acknowledge(self, request, answer):
        """The ACK of a failure belongs to the request's transaction; the one of a success follows the route."""
        lines = request.decode().split("\r\n")
        uri = lines[0].split()[1]
        if answer.status < 300:
            uri = answer.get("Contact").strip("<>")
            lines[1] = f"Via: SIP/2.0/UDP {self.host}:{self.port};branch=z9hG4bK{secrets.token_hex(8)};rport"
            lines[7:7] = [f"Route: {route}" for route in reversed(answer.all("Record-Route"))]
        lines[0] = f"ACK {uri} SIP/2.0"
        kept = [f"To: {answer.get('To')}" if line.startswith("To:") else line.replace(" INVITE", " ACK") if line.startswith("CSeq:") else line
                for line in lines if not line.startswith(("Proxy-Authorization", "Authorization"))]
        self.socket.sendto("\r\n".join(kept).encode(), self.server)

    def attempt(self, method, uri):
        """A request, and another with credentials if it is challenged: (first answer, last answer)."""
        call = secrets.token_hex(8)
        first = self.ask(method, uri, call, 1)
        if first.status not in (401, 407):
            return first, first
        name = "Authorization" if first.status == 401 else "Proxy-Authorization"
        more = [(name, credentials(first.challenge, method, uri, self.user, self.password, **self.digest))]
        return first, self.ask(method, uri, call, 2, more)

    def invite(self, number="100"):
        return self.attempt("INVITE", f"sip:{number}@{self.server[0]}:{self.server[1]}")[1]

    def register(self):
        return self.attempt("REGISTER", f"sip:{self.server[0]}:{self.server[1]}")[1]


class Core(Endpoint):
    """Answers 200 to everything, and keeps what has come."""

    def __init__(self, host="127.0.0.1"):
        super().__init__(host)
        self.requests = []
        self.uri = f"sip:{self.host}:{self.port}"
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            raw, peer = self.socket.recvfrom(65536)
            if not raw:
                return
            request = Message.parse(raw)
            if request.status or request.method == "KDMQ":
                continue
            self.requests.append(request)
            if request.method == "ACK":
                continue
            kept = [f"{name}: {value}" for name, value in request.headers if name.lower() in ("via", "from", "call-id", "cseq", "record-route")]
            to = request.get("To") + ("" if ";tag=" in request.get("To") else ";tag=core")
            answer = ["SIP/2.0 200 OK", *kept, f"To: {to}", f"Contact: <{self.uri}>", "Content-Length: 0", "", ""]
            self.socket.sendto("\r\n".join(answer).encode(), peer)

    def count(self, method="INVITE"):
        return sum(request.method == method for request in self.requests)

    def __exit__(self, *_):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", (self.host, self.port))
        self.thread.join()
        super().__exit__()
