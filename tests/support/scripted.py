"""A worker that answers what a test says, so that the gateway's side of a contract can be seen by itself.

    with Suite(workers=0) as suite, Scripted(suite) as worker:
        worker.answer = lambda asked: asked.reply(body={"a": 1})
        worker.asked[-1].body
"""

import threading
import uuid

import msgpack
import openapi
import zmq


class Asked:
    """One request as it has arrived (proto/envelope.h)."""

    def __init__(self, envelope):
        (_, self.id, self.key, _, self.service, self.operation, self.principal, self.path, self.query,
         self.head, self.body) = msgpack.unpackb(envelope)

    def reply(self, outcome="OK", body=None, media=0, message="", reason=None, faults=(), headers=None):
        return msgpack.packb([1, self.id, outcome, False, message, body, list(faults), None, None, reason, media, None,
                              headers])


class Scripted:
    def __init__(self, suite, service="trunk-auth"):
        self.suite, self.service = suite, service
        self.asked, self.closing = [], False
        self.answer = lambda asked: asked.reply("UNAVAILABLE")  # bytes; None: never answers
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self):
        self.thread.start()
        self.suite.await_ready()
        openapi.load(self.suite.port)
        return self

    def __exit__(self, *_):
        self.closing = True
        self.thread.join()

    def run(self):
        context = zmq.Context()
        line = self.suite.dealer(context, self.service, linger=0)
        ready = [b"LKW1R", msgpack.packb([self.service, str(uuid.uuid4()), 64])]
        line.send_multipart(ready)
        while not self.closing:
            line.send_multipart([b"LKW1H"])
            if not line.poll(100):
                continue
            frames = line.recv_multipart()
            if frames[0] == b"LKW1D":
                line.send_multipart(ready)
            elif frames[0] == b"LKW1Q":
                line.send_multipart([b"LKW1A", msgpack.packb(self.replies(msgpack.unpackb(frames[1])))])
        line.send_multipart([b"LKW1D"])
        line.close()
        context.term()

    def replies(self, requests):
        done = []
        for number, _, _, envelope in requests:
            asked = Asked(envelope)
            self.asked.append(asked)
            answer = self.answer(asked)
            if answer is not None:
                done.append([number, answer])
        return done
