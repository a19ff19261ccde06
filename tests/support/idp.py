"""A host of SAML metadata for tests: good documents, bad ones, and hosts that keep a caller waiting."""

import http.server
import threading

# Self-signed, for idp1.example and idp2.example, valid until 2126: made for this file, used nowhere.
CERTIFICATES = (
    "MIIBhTCCASugAwIBAgIUaMO/B+tUCFud7ZVSA6Gp/ZocpPMwCgYIKoZIzj0EAwIwFzEVMBMGA1UEAwwMaWRwMS5leGFtcGxlMCAXDTI2MTEyMzAx"
    "NDcxN1oYDzIxMjYxMDMwMDE0NzE3WjAXMRUwEwYDVQQDDAxpZHAxLmV4YW1wbGUwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASglGGOjrTamgeB"
    "yfg0pHW6LFEhPvqaX8yvyohUk0ZnvC4DsMUO29+MBGOjPgtq+2tQGzEEiuEq1BKVj/xy7EL0o1MwUTAdBgNVHQ4EFgQUjR6stpXp0qPWrbg/ecbu"
    "TjIltaAwHwYDVR0jBBgwFoAUjR6stpXp0qPWrbg/ecbuTjIltaAwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiBB3Dj5PFMANA8i"
    "0HbVqtEt/9Pwnw8dWUHKA4jwrOEZPgIhAJ5pUKKRALXrwWSZyczPVmJ73nVhZMjCiXPHv3FjaVWv",
    "MIIBhDCCASugAwIBAgIUKz54rH/Be3tN2yb0FrBKA+QW4wYwCgYIKoZIzj0EAwIwFzEVMBMGA1UEAwwMaWRwMi5leGFtcGxlMCAXDTI2MTEyMzAx"
    "NDcxN1oYDzIxMjYxMDMwMDE0NzE3WjAXMRUwEwYDVQQDDAxpZHAyLmV4YW1wbGUwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASy0iTzXqbP0Nlz"
    "9hrxIhrtQdFlKQaEP4gc6MHv0lWecfOnFrJjNNljxPMSm0355fzH9USMneRy+dLXlaXKmnPGo1MwUTAdBgNVHQ4EFgQUowk7HY6ZcoL6dMwsM9Mr"
    "1GQwBqQwHwYDVR0jBBgwFoAUowk7HY6ZcoL6dMwsM9Mr1GQwBqQwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNHADBEAiBzor8EFfrYKnpQ"
    "b/0MhkjKWzW0kUNSPfjpIK8zWSBI+AIgF6WdNZ2jhNrcefXf3W4Y1tyBtf/nUWVXatprm3FhfZY=",
)
REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"


def key(certificate, use="signing"):
    use = f' use="{use}"' if use else ""
    return (f'<KeyDescriptor{use}><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>'
            f"{certificate}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>")


def metadata(entity="https://idp.example/", keys=None, attributes="", head=""):
    """A document with one identity provider."""
    keys = "".join(key(one) for one in CERTIFICATES[:1]) if keys is None else keys
    return (f'<?xml version="1.0"?>{head}<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" '
            f'entityID="{entity}" {attributes}>'
            f'<IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">{keys}'
            f'<SingleLogoutService Binding="{REDIRECT}" Location="https://idp.example/out"/>'
            f'<SingleSignOnService Binding="{REDIRECT}" Location="https://idp.example/in"/>'
            f"</IDPSSODescriptor></EntityDescriptor>").encode()


class Host:
    """pages: path to a body; to (status, headers, body); to None: no answer until the end; or to what
    is called for one of these.

    with Host({"/a": metadata()}) as host: ... host.url("/a"), host.asked (the paths so far)"""

    def __init__(self, pages):
        self.pages, self.asked, self.ended = pages, [], threading.Event()
        host = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                host.asked.append(self.path)
                page = host.pages.get(self.path, (404, {}, b""))
                if callable(page):
                    page = page()
                if page is None:
                    host.ended.wait(60)
                    return
                status, headers, body = page if isinstance(page, tuple) else (200, {}, page)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                try:
                    self.wfile.write(body)
                except OSError:
                    pass  # who asked has had enough

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True

    def url(self, path):
        return f"http://127.0.0.1:{self.server.server_port}{path}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *why):
        self.ended.set()
        self.server.shutdown()
        self.server.server_close()
