"""Begins logins at a running suite and signs their answers: sso_fill.py BASE KEY COUNT FILE. Makes the provider "bench" if
there is none. One login a line, cookie and form, in FILE.0 and FILE.1: one for each thread of wrk. Nothing leaves this
machine: the identity provider is a key."""

import http.client
import json
import multiprocessing
import os
import pathlib
import pickle
import sys
import types
from urllib.parse import urlsplit

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
sys.dont_write_bytecode = True

THREADS = 2  # of wrk


class Caller:
    """What a login asks of a suite, without looking at the answers' form."""

    def __init__(self, base, key):
        self.key, self.worker_settings = key, {"LK_PUBLIC_URL": base}
        self.line = http.client.HTTPConnection(urlsplit(base).netloc, timeout=60)

    def call(self, method, path, body=None, key=None, headers=None):
        sent = {"Authorization": f"Bearer {self.key if key is None else key}"} if key != "" else {}
        self.line.request(method, path, json.dumps(body) if body else None, sent | {"Content-Type": "application/json"} | (headers or {}))
        answer = self.line.getresponse()
        text = answer.read()
        return types.SimpleNamespace(status=answer.status, headers=answer.headers, body=text,
                                     json=json.loads(text) if text.startswith(b"{") else None)


def provider(base, key, file):
    """The provider, with its key, which is kept for the next round."""
    from sso_flow import Idp
    import keys

    if os.path.exists(f"{file}.idp"):
        with open(f"{file}.idp", "rb") as kept:
            identifier, pem, der = pickle.load(kept)
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
        idp = Idp.__new__(Idp)
        idp.id, idp.key = identifier, keys.Key("rsa", load_pem_private_key(pem, None), der)
        idp.name, idp.base, idp.entity, idp.clock = "bench", base, "https://bench.idp.example/metadata", 0
        return idp
    idp = Idp(Caller(base, key), "bench")
    with open(f"{file}.idp", "wb") as kept:
        pickle.dump((idp.id, idp.key.private_pem, idp.key.der), kept)
    return idp


def fill(task):
    base, key, count, file, number = task
    idp, caller = provider(base, key, file), Caller(base, key)
    with open(f"{file}.{number}", "w", encoding="ascii") as lines:
        for _ in range(count):
            login = idp.begin(caller)
            lines.write(f"{login.cookie}\t{login.form().decode()}\n")


def main():
    url, key, count, file = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
    provider(url, key, file)
    with multiprocessing.Pool(THREADS) as pool:
        pool.map(fill, [(url, key, count // THREADS, file, number) for number in range(THREADS)])


if __name__ == "__main__":
    main()
