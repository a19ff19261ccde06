"""Users of the benchmark, those that seed-trunks makes, for SIPp and for Kamailio's own auth_db: users.py COUNT FOLDER.

Makes in the folder: users.csv (call.xml's fields, in an order of chance, the same one every time), one.csv (the first
user alone), ha1 (his), users.db (auth_db's table)."""

import hashlib
import pathlib
import random
import sqlite3
import sys

REALM, PASSWORD = "bench", "seeded-password"


def name(number):
    return f"user-{number}"


def ha1(number):
    return hashlib.md5(f"{name(number)}:{REALM}:{PASSWORD}".encode()).hexdigest()


def csv(numbers):
    lines = (f"{name(number)};[authentication username={name(number)} password={PASSWORD}]" for number in numbers)
    return "\n".join(["SEQUENTIAL", *lines]) + "\n"


def main():
    count, folder = int(sys.argv[1]), pathlib.Path(sys.argv[2])
    numbers = list(range(count))
    random.Random(5).shuffle(numbers)
    (folder / "users.csv").write_text(csv(numbers))
    (folder / "one.csv").write_text(csv([0]))
    (folder / "ha1").write_text(ha1(0))
    (folder / "users.db").unlink(missing_ok=True)
    with sqlite3.connect(folder / "users.db") as database:
        database.executescript("""
            CREATE TABLE version (id INTEGER PRIMARY KEY, table_name VARCHAR(32) UNIQUE, table_version INTEGER);
            INSERT INTO version (table_name, table_version) VALUES ('subscriber', 7);
            CREATE TABLE subscriber (id INTEGER PRIMARY KEY, username VARCHAR(64) NOT NULL, domain VARCHAR(64) NOT NULL DEFAULT '',
                password VARCHAR(64) NOT NULL DEFAULT '', ha1 VARCHAR(128) NOT NULL, UNIQUE (username, domain));
            CREATE INDEX subscriber_username_idx ON subscriber (username);""")
        database.executemany("INSERT INTO subscriber (username, ha1) VALUES (?, ?)", ((name(number), ha1(number)) for number in range(count)))


if __name__ == "__main__":
    main()
