"""In Linekeeper's place: answers what a test says, and keeps what it was asked.

    with FakeAuthority() as fake:
        fake.answers["/ha1"] = (200, b'{"ha1": ...}')     # or a function of the query that returns such a pair
        fake.url
        fake.asked                                        # [(method, path, query, body, headers)]

What has no answer set is 404.
"""

import http.server
import threading
import urllib.parse


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        parts = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fake = self.server.fake
        fake.asked.append((self.command, parts.path, query, body, self.headers))
        found = fake.answers.get("/" + parts.path.rpartition("/")[2], (404, b"{}"))
        status, said = found(query) if callable(found) else found
        try:
            self.send_response(status)
            if status != 204:
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            if status != 204:
                self.wfile.write(said)
        except OSError:
            pass  # whoever asked has gone

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


class FakeAuthority:
    def __init__(self):
        self.answers, self.asked = {"/report": (204, b"")}, []
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.fake = self
        self.port = self.server.server_address[1]
        self.url = f"http://kamailio:key@127.0.0.1:{self.port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def questions(self, what):
        return [asked for asked in self.asked if asked[1].endswith(what)]
