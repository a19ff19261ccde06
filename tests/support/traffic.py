"""Clients that write and read without a pause, and what they were told: compared with what is kept."""

import collections
import itertools
import threading
import time
import uuid

from provider_dialect import PROVIDERS, SETTINGS
from suite import await_that
from writes import CONNECTIONS, TRUNKS

PAGE = 250


class Running:
    """Threads that go on, within a with, until stop is set."""

    def __init__(self, run, arguments):
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=run, args=each) for each in arguments]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()


class Traffic(Running):
    """connect(timeout=seconds) makes a client. Every write carries an Idempotency-Key, as a client's should that
    must not lose one, unless keyed is false. Whatever is not the expected answer, a dropped connection too, is an
    error."""

    def __init__(self, connect, clients=6, keyed=True):
        self.connect, self.clients, self.keyed = connect, clients, keyed
        self.mark = uuid.uuid4().hex[:12]  # others may have written before
        self.trunk = connect(timeout=30).call("POST", TRUNKS, {"name": "traffic"}).result["uuid"]
        self.acknowledged = collections.defaultdict(list)  # names by kind
        self.errors, self.longest, self.reads = [], 0.0, 0
        kinds = itertools.cycle((self.write_address, self.write_connection, self.write_provider, self.write_user))
        super().__init__(self.run, zip(range(clients), kinds))

    def run(self, number, write):
        client = self.connect(timeout=30)
        for count in itertools.count():
            if self.stop.is_set():
                return
            made = write(client, number, count)
            if made is not None:
                kind, name, path = made
                self.acknowledged[kind].append(name)
                if self.ask(client, "GET", path, 200) is not None:
                    self.reads += 1

    def ask(self, client, method, path, wanted, body=None):
        begun = time.monotonic()
        headers = {"Idempotency-Key": str(uuid.uuid4())} if self.keyed and body is not None else None
        try:
            answer = client.call(method, path, body, headers)
            if answer.status == wanted:
                return answer.json
            self.errors.append((method, path, answer.status, answer.body))
        except (OSError, AssertionError) as error:
            self.errors.append((method, path, repr(error)))
        finally:
            self.longest = max(self.longest, time.monotonic() - begun)
        return None

    def write_address(self, client, number, count):
        network = f"fd{self.mark[:2]}:{self.mark[2:6]}:{self.mark[6:10]}"
        body = {"type": "ip", "ip": f"{network}:{number:x}::{count:x}", "label": f"address {number}-{count}"}
        return self.write_method(client, body)

    def write_user(self, client, number, count):
        name = f"user-{self.mark}-{number}-{count}"
        return self.write_method(client, {"type": "sipuser", "username": name, "password": "correct horse", "label": name})

    def write_method(self, client, body):
        path = f"{TRUNKS}/{self.trunk}/auth"
        made = self.ask(client, "POST", path, 201, body)
        return made and ("method", body["label"], f"{path}/{made['result']['uuid']}")

    def write_connection(self, client, number, count):
        name = f"connection {self.mark} {number}-{count}"
        made = self.ask(client, "POST", CONNECTIONS, 201, {"connection_name": name})
        return made and ("connection", name, f"{CONNECTIONS}/{made['data']['id']}")

    def write_provider(self, client, number, count):
        name = f"p-{self.mark}-{number}-{count}"
        made = self.ask(client, "POST", PROVIDERS, 200, {"name": name, "short_name": name, "settings": SETTINGS})
        return made and ("provider", name, f"{PROVIDERS}/{made['data']['id']}")

    def written(self):
        return sum(map(len, self.acknowledged.values()))

    def await_more(self, number):
        """Until so many more writes are acknowledged, or something has gone wrong."""
        reached = self.written() + number
        await_that(lambda: self.written() >= reached or self.errors, 60, f"{number} more writes")

    def kept(self):
        """The names that the lists have, by kind."""
        client = self.connect(timeout=30)
        kept = collections.defaultdict(list)
        for offset in itertools.count(0, PAGE):
            page = client.call("GET", f"{TRUNKS}/{self.trunk}/auth?limit={PAGE}&offset={offset}").result
            kept["method"] += [method["label"] for method in page]
            if len(page) < PAGE:
                break
        for kind, path, name in ("connection", CONNECTIONS, "connection_name"), ("provider", PROVIDERS, "name"):
            for number in itertools.count(1):
                page = client.call("GET", f"{path}?page[number]={number}&page[size]={PAGE}").json["data"]
                kept[kind] += [one[name] for one in page if self.mark in one[name]]
                if len(page) < PAGE:
                    break
        return kept

    def check(self):
        """Each acknowledged write is there once, and nothing else but what was asked for."""
        assert not self.errors, (len(self.errors), self.errors[:5])
        kept = self.kept()
        for kind, names in self.acknowledged.items():
            assert sorted(kept[kind]) == sorted(names), kind
        print(f"{self.written()} writes acknowledged and kept once, {self.reads} reads, longest wait {self.longest:.2f} s")
