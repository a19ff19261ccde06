#!/usr/bin/python3
"""Writes the hand-made seeds into corpus/. What fuzzing adds stands beside them."""
import pathlib
import struct
import sys
import zlib

import msgpack

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import dns  # noqa: E402

CORPUS = pathlib.Path(__file__).parent / "corpus"
ID = "018f0000-0000-7000-8000-000000000001"


def write(target, name, content):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ("seed-" + name)).write_bytes(content)


def pack(value):
    return msgpack.packb(value, use_bin_type=True)


SAMPLE = (b'{"name":"abcd","note":"x","kind":"b","size":4,"on":false,"token":null,'
          b'"at":"2018-02-02T22:25:27.521+02:00","inner":{"realm":"r","level":-5}}')
TRUNK = b'{"name":"Head office","domain":"pbx.example.com","port":5061,"transport":"tls","user":null}'
METHOD = b'{"type":"sipuser","username":"office","password":"correct horse","label":"x","ip":"::1/64"}'

for byte, (name, text) in enumerate([
        ("sample", SAMPLE), ("trunk", TRUNK), ("method", METHOD),
        ("rotation", b'{"password":"battery staple","grace_seconds":0}'),
]):
    for mode in (0, 1):
        write("json", f"{name}-{mode}", bytes([4 * byte + mode]) + text)
for name, text in {
        "empty": b"", "escapes": b'{"name":"\\u00e4\\ud83d\\ude42\\n"}', "nul": b'{"name":"\\u0000a"}',
        "deep": b'{"inner":' + b"[" * 20, "brackets": b"[" * 200, "unbalanced": b"]" * 20 + b"[" * 40,
        "types": b'{"name":5,"size":"x","on":1,"at":5,"kind":[],"inner":{"level":1e3}}',
        "twice": b'{"name":"ab","name":"cd"}', "huge": b'{"size":9223372036854775807}',
}.items():
    write("json", name, b"\0" + text)

write("record", "sample", b"\0" + pack({"name": "abcd", "size": 4, "on": True, "kind": "b", "at": 5,
                                         "inner": {"realm": "r", "level": -5}, "token": None}))
write("record", "part", b"\1" + pack({"at": None, "note": "x", "inner": {}}))
write("record", "method", b"\x08" + pack({"type": "ip", "ip": "::ffff:10.1.2.3/100"}))
write("record", "nul-key", b"\0" + pack({"on\0on": 1, "kind": "a\0a", "name": "a\0"}))  # overread once
write("record", "result", b"\0" + pack([{"made": 2**63, "items": [{"realm": 1}], "at": -2**63}]))
write("record", "bomb-array", b"\0\xdd\xff\xff\xff\xff")
write("record", "bomb-map", b"\0\xdf\xff\xff\xff\xff")
write("record", "bomb-nested", b"\0" + b"\xdc\xff\xff" * 32)
write("record", "query", b"\2?size=5&name=a%20b+c&on=true&at=1970-01-01T00:00:00Z&size=6&x=%zz&%")

PRINCIPAL = [ID, ID, "admin", True]
write("record", "form", b"\2&size=5&name=a%20b+c&on=true&size=5&name=d&x=%zz&&=&%")
write("record", "form-freeswitch", b"\x40&hostname=fs&section=directory&tag_name=domain&key_name=name&key_value=r&user=a%20b"
                                   b"&Event-Name=X&Event-Name=Y&domain=r&domain=r&ip=192.0.2.1&X-A=%ff")
write("record", "form-asterisk", b"\x44&id%20LIKE=%25&context=a%3Bb&rest=x&id%20LIKE=y")

write("envelope", "request", pack([1, "req-1", "idem-1", True, "trunk-auth", "trunk_read", PRINCIPAL,
                                   {"uuid": ID}, None, None, {"name": "x"}]))
write("envelope", "request-nobody", pack([1, "r", "i", False, "auth-provider", "sso_consume", None,
                                          {"short_name": "a"}, None, {"Cookie": "a=b", ":client": "::1"},
                                          {"SAMLResponse": "PA=="}]))
write("envelope", "request-read", pack([1, "r", None, False, "s", "o", ["", "", "sip", False], None,
                                        {"limit": 5}, None, None]))
write("envelope", "reply", pack([1, "req-1", "INVALID", False, "No.", None,
                                 [["required", "body", "/name", "is required"],
                                  ["range", "query", "limit", "must be at most 250"],
                                  ["rule", "path", "", "x"]], None, [1, 20, 7], "locked_out", 0, None, None]))
write("envelope", "reply-list", pack([1, "r", "OK", True, "", [{"a": 1}, {"b": [None]}], [], 10000, None, None, 0,
                                      [2**64 - 1, 5, 1], None]))
write("envelope", "reply-deleted", pack([1, "r", "DELETED", False, "", None, [], None, None, None, 0, None]))  # as kept by older versions
write("envelope", "reply-document", pack([1, "r", "OK", False, "", "<a/>", [], None, None, None, 2, None, None]))
write("envelope", "reply-elsewhere", pack([1, "r", "ELSEWHERE", False, "", None, [], None, None, None, 0, None,
                                           [["Location", "https://x/?a=b"], ["Set-Cookie", "a=b; Secure"]]]))

for letter in b"RQAHDX":
    write("frames", f"head-{letter:02x}", b"\0LKW1" + bytes([letter]))
write("frames", "ready", b"\1" + pack(["trunk-auth", ID, 64]))
write("frames", "requests", b"\2" + pack([[1, 1500, False, b"\1\2"], [2**40, 0, True, b""]]))
write("frames", "replies", b"\3" + pack([[1, b"\x91\xc0"], [2**64 - 1, b""]]))
write("frames", "none", b"\2\xdd\0\0\0\0")
write("frames", "bomb", b"\3\xdd\0\x10\0\0")

CERTIFICATE = (b"MIIBcTCCARegAwIBAgIUao2W1x0FlZPOIMMCX6OhJ/Xi/OswCgYIKoZIzj0EAwIwDjEMMAoGA1UEAwwDaWRwMB4XDTI2MTEy"
               b"MzAxMzM0NVoXDTM2MTEyMDAxMzM0NVowDjEMMAoGA1UEAwwDaWRwMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEIXIiszPG"
               b"sbBFjwpfyxNezCQxs61hxBOrGb3MUfmE+0dQeZy8cR4eUOhBOaca64B2iRfIcjFotLT7HBuZsNQnM6NTMFEwHQYDVR0OBBYE"
               b"FHDwaHuOG1l8VIm/s/PN1830Xo8iMB8GA1UdIwQYMBaAFHDwaHuOG1l8VIm/s/PN1830Xo8iMA8GA1UdEwEB/wQFMAMBAf8w"
               b"CgYIKoZIzj0EAwIDSAAwRQIgU1wZSqnj4ZxqHTb6OmaY1NNh2BHFXSQwFrrJXF2uOq4CIQC68xkEgNxwV37y48gDscTwLyC/"
               b"W3NUJCw6HFJ3f8JuPw==")
MD = b'xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#"'
REDIRECT = b'Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"'
ENTITY = (b'<md:EntityDescriptor ' + MD + b' entityID="urn:idp" validUntil="2030-01-01T00:00:00Z">'
          b'<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">'
          b'<md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>' + CERTIFICATE +
          b'</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor><md:SingleLogoutService ' +
          REDIRECT + b' Location="https://idp.example/slo"/><md:SingleSignOnService ' + REDIRECT +
          b' Location="https://idp.example/sso"/></md:IDPSSODescriptor></md:EntityDescriptor>')
for name, text in {
        "entity": ENTITY, "entities": b'<?xml version="1.0"?><md:EntitiesDescriptor ' + MD + b'><!-- x -->' + ENTITY +
        b'</md:EntitiesDescriptor>', "no-certificate": ENTITY.replace(CERTIFICATE, b""),
        "doctype": b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "deep": b"<a>" * 40, "other": b"<a/>",
        "cdata": b"<a><![CDATA[x]]><?p i?>&#65;&amp;</a>", "entity-unknown": b"<a>&x;</a>",
        "pem": b"-----BEGIN CERTIFICATE-----\n" + CERTIFICATE + b"\n-----END CERTIFICATE-----\n",
}.items():
    write("metadata", name, text)

DIGEST = (b'Digest username="office-pbx", realm="linekeeper", nonce="84a4cc6f", uri="sip:bob@example.com", '
          b'response="7587245234b3434cc3412213e5f113a5", algorithm=SHA-256, cnonce="0a4f113b", opaque="", '
          b'qop=auth, nc=00000001')
write("authorization", "digest", DIGEST)
write("authorization", "escapes", b'Digest username="J\xc3\xa4 \\"x\\\\", nonce = "a, b=\\"c\\""\r\n\t, x=y')
write("authorization", "extended", b"Digest username*=UTF-8'de'J%C3%A4s%C3%B8n, userhash=false")
write("authorization", "userhash", b'Digest username="488869477bf257147b804c45308cd62a", userhash=true')
write("authorization", "twice", DIGEST + b", nc=00000002")
write("authorization", "cut", DIGEST[:60])
write("authorization", "basic", b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")

PBX = "pbx.example.com"
for byte, (kind, records) in enumerate([
        ("A", [dns.record(PBX, "CNAME", "a.x"), dns.record("a.x", "A", "9.9.9.9"), dns.record("a.x", "A", "9.9.9.10")]),
        ("AAAA", [dns.record(PBX, "AAAA", "2620:fe::9")]),
        ("SRV", [dns.record(PBX, "SRV", (10, 5, 5060, "sip1.example.com")), dns.record(PBX, "SRV", (0, 0, 0, "."))]),
]):
    asked = dns.Query(struct.pack("!HHHHHH", 7, 0x100, 1, 0, 0, 0) + dns.pack_name(PBX) + struct.pack("!HH", dns.TYPES[kind], 1))
    write("dns", f"{kind.lower()}-found", bytes([byte]) + asked.reply(records))
    write("dns", f"{kind.lower()}-none", bytes([byte]) + asked.reply(rcode=dns.NXDOMAIN))
    write("dns", f"{kind.lower()}-pointers", bytes([byte]) + asked.reply(records).replace(dns.pack_name(PBX), b"\xc0\x0c"))
for name, text in {"uri": b"sip:+1312:x@example.com;user=phone", "named": b'"A \\" <x>" <sips:0471@[::1]:5061>;noa=2',
                   "tel": b"tel:+1312;phone-context=x", "two": b"<sip:1@x>, <sip:2@x>"}.items():
    write("dns", "header-" + name, b"\x03" + text)

SAML = b'xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" xmlns="urn:oasis:names:tc:SAML:2.0:assertion"'
LOGOUT = (b'ID="_1" Version="2.0" IssueInstant="2025-06-15T15:06:40Z" Destination="https://lk.example/slo"')
ISSUER = b"<Issuer>https://idp.example/</Issuer>"
LOGOUT_REQUEST = (b"<p:LogoutRequest " + SAML + b" " + LOGOUT + b">" + ISSUER + b'<NameID Format="f">ann</NameID>'
                  b"<p:SessionIndex>_s</p:SessionIndex></p:LogoutRequest>")
LOGOUT_RESPONSE = (b"<p:LogoutResponse " + SAML + b" " + LOGOUT + b' InResponseTo="_2">' + ISSUER + b"<p:Status><p:StatusCode "
                   b'Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></p:Status></p:LogoutResponse>')
write("redirect", "query", b"\0SAMLRequest=QUFB&RelayState=a%20b+c&SigAlg=http%3A%2F%2Fwww.w3.org%2F2001%2F04%2Fxmldsig-more%23"
                           b"ecdsa-sha256&Signature=QUFB&x&&=&SAMLEncoding=")
write("redirect", "twice", b"\0SAMLResponse=&SAML%52esponse=&Signature&SigAlg=%00")
write("redirect", "request", b"\2" + LOGOUT_REQUEST)
write("redirect", "response", b"\2" + LOGOUT_RESPONSE)
write("redirect", "doctype", b"\2<!DOCTYPE a>" + LOGOUT_REQUEST)
raw = zlib.compressobj(9, zlib.DEFLATED, -15)
write("redirect", "bomb", b"\1" + raw.compress(b" " * (1 << 20)) + raw.flush())
write("redirect", "stored", b"\1\x01\x04\x00\xfb\xff<a/>")
write("redirect", "cut", b"\1\x4b\x4c")
