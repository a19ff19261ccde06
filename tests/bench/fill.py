"""Fills a running suite with providers: fill.py BASE KEY COUNT. Prints one of their ids at the end."""

import http.client
import json
import multiprocessing
import random
import sys
from urllib.parse import urlsplit

CLIENTS = 4


def body(number):
    word = random.Random(number).randbytes(6).hex()
    return json.dumps({
        "name": f"{word} {number}",
        "short_name": f"bench-{number}",
        "active": number % 2 == 0,
        "settings": {
            "idp_entity_id": f"https://idp{number}.example.com/metadata",
            "idp_sso_target_url": f"https://idp{number}.example.com/sso",
            "idp_cert_fingerprint": "13:38:C7:BB:C9:FF:4A:70:38:3A:E3:D9:5C:CD:DB:2E:50:1E:80:A7",
        },
    })


def fill(task):
    base, key, numbers = task
    connection = http.client.HTTPConnection(urlsplit(base).netloc, timeout=60)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    made = None
    for number in numbers:
        connection.request("POST", "/v2/authentication_providers", body(number), headers)
        answer = connection.getresponse()
        made = json.loads(answer.read())
        if answer.status != 200:
            sys.exit(f"fill: {answer.status} {made}")
    return made["data"]["id"] if made else None


def main():
    base, key, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    tasks = [(base, key, range(i, count, CLIENTS)) for i in range(CLIENTS)]
    with multiprocessing.Pool(CLIENTS) as pool:
        print([made for made in pool.map(fill, tasks) if made][-1])


if __name__ == "__main__":
    main()
