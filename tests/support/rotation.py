"""The seal key is replaced while clients write and read: the same of containers and of units."""

from traffic import TRUNKS, Traffic


def look_up(connect):
    answer = connect().call("GET", "/v1/sip/trunks/ha1?username=sealed-twice&algorithm=MD5")
    assert answer.status == 200, answer.body
    return answer.json["ha1"]


def replace_seal_key(connect, keys, rotate):
    """connect() makes a client; keys: the folder of seal.key; rotate() runs the script. Returns the HA1 that
    look_up gave before and gives after."""
    trunk = connect().call("POST", TRUNKS, {"name": "sealed"}).result["uuid"]
    body = {"type": "sipuser", "username": "sealed-twice", "password": "correct horse"}
    assert connect().call("POST", f"{TRUNKS}/{trunk}/auth", body).status == 201
    right, old = look_up(connect), (keys / "seal.key").read_text(encoding="utf-8").splitlines()[-1]
    with Traffic(connect) as traffic:
        traffic.await_more(50)
        rotate()
        traffic.await_more(50)
    traffic.check()
    assert look_up(connect) == right
    assert old not in (keys / "seal.key").read_text(encoding="utf-8")
    assert old in (keys / "seal.retired").read_text(encoding="utf-8")
    return right
