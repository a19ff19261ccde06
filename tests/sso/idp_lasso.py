"""An identity provider for tests, on lasso. People log in by a form. A line of JSON says where it is.

    idp_lasso.py KEY CERTIFICATE WRONG_KEY WRONG_CERTIFICATE

/sso?mode=MODE: assertion, or, to be refused: expired, audience, forged. /slo logs out, also where nobody asked for it.
"""

import base64
import datetime
import html
import http.server
import json
import re
import secrets
import sys
import urllib.parse
import urllib.request
import zlib

import lasso

KEY, CERTIFICATE, WRONG_KEY, WRONG_CERTIFICATE = (open(path, encoding="ascii").read() for path in sys.argv[1:5])
PEOPLE = {"amelia": "amelia@example.com", "o'brien": "o'brien+ü@example.com"}
REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
SESSIONS = {}  # of this identity provider, by its cookie: [name id, lasso's dump of it, service provider]
PARTNERS = {}  # metadata by entity id, which is where it is


def metadata(base, certificate=CERTIFICATE):
    key = "".join(certificate.strip().splitlines()[1:-1])
    return f"""<?xml version="1.0"?>
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{base}/metadata">
<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>{key}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
<md:SingleLogoutService Binding="{REDIRECT}" Location="{base}/slo"/>
<md:SingleSignOnService Binding="{REDIRECT}" Location="{base}/sso"/>
</md:IDPSSODescriptor></md:EntityDescriptor>"""


def partner(entity):
    if entity not in PARTNERS:
        with urllib.request.urlopen(entity, timeout=20) as answer:
            PARTNERS[entity] = answer.read().decode()
    return PARTNERS[entity]


def server_for(base, entity, forging=False):
    key, certificate = (WRONG_KEY, WRONG_CERTIFICATE) if forging else (KEY, CERTIFICATE)
    server = lasso.Server.newFromBuffers(metadata(base, certificate), key, None, certificate)
    server.signatureMethod = lasso.SIGNATURE_METHOD_RSA_SHA256
    server.addProviderFromBuffer(lasso.PROVIDER_ROLE_SP, partner(entity))
    return server


def issuer_of(message):
    xml = zlib.decompress(base64.b64decode(message), -15).decode()
    return html.unescape(re.search(r"Issuer[^>]*>([^<]+)<", xml)[1])


def instant(seconds):
    now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")


def trust_signatures(profile, entity):
    """Whoever shows a key signs; whoever has none can't."""
    signs = "KeyDescriptor" in partner(entity)
    profile.setSignatureVerifyHint(lasso.PROFILE_SIGNATURE_VERIFY_HINT_FORCE if signs else lasso.PROFILE_SIGNATURE_VERIFY_HINT_IGNORE)


def respond(base, query, mode, name_id):
    """Where the Response goes, the Response in base64, lasso's dump of the session."""
    entity = issuer_of(urllib.parse.parse_qs(query)["SAMLRequest"][0])
    login = lasso.Login(server_for(base, entity, forging=mode == "forged"))
    trust_signatures(login, entity)
    login.processAuthnRequestMsg(query)
    login.validateRequestMsg(True, True)
    begin, end = (-900, -600) if mode == "expired" else (-5, 300)
    login.buildAssertion(lasso.SAML2_AUTHN_CONTEXT_PASSWORD_PROTECTED_TRANSPORT, instant(0), None, instant(begin), instant(end))
    login.assertion.subject.nameId.content = name_id
    login.assertion.subject.nameId.format = lasso.SAML2_NAME_IDENTIFIER_FORMAT_EMAIL
    if mode == "audience":
        login.assertion.conditions.audienceRestriction[0].audience = "https://elsewhere.example/metadata"
    login.buildAuthnResponseMsg()
    return entity, login.msgUrl, login.msgBody, login.session.dump()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def base(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, body, status=200, **headers):
        body = body.encode()
        self.send_response(status)
        for name, value in ({"Content-Type": "text/html; charset=utf-8", "Content-Length": str(len(body))} | headers).items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def cookie(self):
        found = re.search(r"(?:^|; )idp=([^;]+)", self.headers.get("Cookie", ""))
        return found and found[1]

    def login_page(self, query, fault=""):
        self.answer(f"""<!doctype html><html lang="en"><head><title>lasso login</title><link rel="icon" href="data:,"></head><body><h1>lasso</h1>
<p role="alert">{fault}</p><form method="post" action="/login"><input type="hidden" name="query" value="{html.escape(query)}">
<label>User <input name="user" autofocus></label><label>Password <input name="password" type="password"></label>
<button>Log in</button></form></body></html>""")

    def respond(self, query, name_id, cookie):
        fields = urllib.parse.parse_qs(query)
        entity, url, body, dump = respond(self.base(), query, fields.get("mode", ["assertion"])[0], name_id)
        SESSIONS[cookie] = [name_id, dump, entity]
        relay = html.escape(fields.get("RelayState", [""])[0])
        self.answer(f"""<!doctype html><html lang="en"><head><title>lasso</title><link rel="icon" href="data:,"></head><body onload="document.forms[0].submit()"><form method="post" action="{html.escape(url)}">
<input type="hidden" name="SAMLResponse" value="{body}"><input type="hidden" name="RelayState" value="{relay}"></form></body></html>""",
                    Set_Cookie=f"idp={cookie}; HttpOnly; Path=/")

    def do_POST(self):
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode(), keep_blank_values=True)
        user, password, query = (form.get(name, [""])[0] for name in ("user", "password", "query"))
        if user not in PEOPLE or password != "correct horse":
            self.login_page(query, "Wrong user or password")
        else:
            self.respond(query, PEOPLE[user], secrets.token_hex(16))

    def do_GET(self):
        path, _, query = self.path.partition("?")
        cookie = self.cookie()
        if path == "/metadata":
            self.answer(metadata(self.base()), Content_Type="application/samlmetadata+xml")
        elif path == "/sso" and cookie in SESSIONS:
            self.respond(query, SESSIONS[cookie][0], cookie)
        elif path == "/sso":
            self.login_page(query)
        elif path == "/slo":
            self.log_out(query, cookie)
        else:
            self.answer("", 404)

    def log_out(self, query, cookie):
        session = SESSIONS.get(cookie)
        if session is None:
            self.answer("nobody is logged in here", 409)
            return
        logout = lasso.Logout(server_for(self.base(), session[2]))
        trust_signatures(logout, session[2])
        logout.setSessionFromDump(session[1])
        if "SAMLRequest=" in query:
            logout.processRequestMsg(query)
            logout.validateRequest()
            logout.buildResponseMsg()
            del SESSIONS[cookie]
        elif "SAMLResponse=" in query:
            logout.processResponseMsg(query)
            del SESSIONS[cookie]
            self.answer("<!doctype html><title>lasso</title><p>Logged out everywhere.</p>")
            return
        else:
            logout.initRequest(session[2], lasso.HTTP_METHOD_REDIRECT)
            logout.buildRequestMsg()
        self.answer("", 302, Location=logout.msgUrl)

    def log_message(self, *arguments):
        print(*arguments, file=sys.stderr)


if __name__ == "__main__":
    serving = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(json.dumps({"base": f"http://127.0.0.1:{serving.server_port}"}), flush=True)
    serving.serve_forever()
