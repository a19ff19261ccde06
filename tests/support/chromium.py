"""A real browser for tests: Debian's Chromium without a screen, led by its DevTools protocol over a pipe.

    with Browser(directory) as browser:
        page = browser.page()               # cookies of its own: another person's browser
        page.go("http://127.0.0.1:8080/sso/myorg")
        page.press("Tab"); page.type("amelia"); page.press("Enter")
        page.await_that("document.title == 'Logged in'")
        page.screenshot(path)

Whatever a page asks the network for is in page.requests, what its console says in page.complaints. Names other than
localhost lead nowhere, so nothing leaves this machine.
"""

import base64
import collections
import json
import os
import shutil
import subprocess
import threading

from suite import SLOW, await_that

CHROMIUM = shutil.which("chromium")
FLAGS = ("--headless=new", "--remote-debugging-pipe", "--no-first-run", "--no-default-browser-check", "--disable-gpu", "--disable-dev-shm-usage",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps", "--disable-extensions",
         "--disable-domain-reliability", "--disable-client-side-phishing-detection", "--no-pings", "--metrics-recording-only",
         "--password-store=basic", "--use-mock-keychain", "--lang=en", "--window-size=1000,700",
         "--disable-features=OptimizationHints,MediaRouter,Translate,AutofillServerCommunication,HttpsUpgrades",
         "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1")
PASSED_OVER = ("BounceTrackingIssue",  # on the way through a site that sets a cookie: every login goes one
               "NavigationEntryMarkedSkippable")  # a page left untouched, as by an identity provider that knows who comes
KEYS = {"Tab": (9, ""), "Enter": (13, "\r"), " ": (32, " "), "Escape": (27, "")}


class Browser:
    def __init__(self, directory, spki=None):
        """spki: Base64 of the SHA-256 of a public key whose certificates are taken as they are."""
        self.directory, self.replies, self.pages = directory, {}, {}
        self.number, self.changed, self.ended = 0, threading.Condition(), False
        self.flags = [f"--user-data-dir={directory}/profile", *FLAGS]
        if os.geteuid() == 0:
            self.flags.append("--no-sandbox")
        if spki:
            self.flags.append(f"--ignore-certificate-errors-spki-list={spki}")

    def __enter__(self):
        commands, self.commands = os.pipe()
        self.messages, messages = os.pipe()

        def pipes():  # 3: commands, 4: messages
            saved = os.dup2(commands, 30), os.dup2(messages, 31)
            os.dup2(saved[0], 3)
            os.dup2(saved[1], 4)

        with open(self.directory / "chromium.log", "ab") as log:
            self.process = subprocess.Popen([CHROMIUM, *self.flags], stdin=subprocess.DEVNULL, stdout=log, stderr=log, close_fds=False,
                                            preexec_fn=pipes, start_new_session=True, env=os.environ | {"HOME": str(self.directory)})
        os.close(commands)
        os.close(messages)
        threading.Thread(target=self._listen, daemon=True).start()
        self.version = self.send("Browser.getVersion")["product"]
        return self

    def __exit__(self, *_):
        try:
            self.send("Browser.close")
            self.process.wait(20 * SLOW)
        except (AssertionError, OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        os.close(self.commands)

    def _listen(self):
        with os.fdopen(self.messages, "rb") as stream:
            rest = b""
            while received := stream.read1(1 << 20):
                *whole, rest = (rest + received).split(b"\0")
                with self.changed:
                    for message in map(json.loads, whole):
                        if "id" in message:
                            self.replies[message["id"]] = message
                        elif message.get("sessionId") in self.pages:
                            self.pages[message["sessionId"]].heard(message["method"], message["params"])
                    self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def send(self, method, session=None, **params):
        with self.changed:
            self.number += 1
            number = self.number
            message = {"id": number, "method": method, "params": params} | ({"sessionId": session} if session else {})
            os.write(self.commands, json.dumps(message).encode() + b"\0")
            done = self.changed.wait_for(lambda: number in self.replies or self.ended, 60 * SLOW)
            assert done and number in self.replies, f"the browser has no answer to {method}: {self.directory / 'chromium.log'}"
            reply = self.replies.pop(number)
        assert "error" not in reply, (method, reply["error"])
        return reply["result"]

    def page(self):
        context = self.send("Target.createBrowserContext")["browserContextId"]
        target = self.send("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.pages[session] = page = Page(self, session, context)
        for domain in ("Page", "Network", "Runtime", "Log", "Audits", "DOM", "Accessibility"):
            page.send(f"{domain}.enable")
        return page


def kind_of(issue):
    return issue["details"].get("genericIssueDetails", {}).get("errorType", issue["code"])


class Page:
    def __init__(self, browser, session, context):
        self.browser, self.session, self.context = browser, session, context
        self.requests = []  # (method, URL), of redirects each
        self.complaints = []  # (URL of the page, text) of the console: errors, warnings, violations of a policy
        self.cookies_set = []  # as they came
        self.statuses = collections.OrderedDict()  # of documents, by their URL
        self.document = "about:blank"

    def complain(self, text):
        self.complaints.append((self.document, text))

    def send(self, method, **params):
        return self.browser.send(method, self.session, **params)

    def heard(self, method, params):
        if method == "Network.requestWillBeSent":
            self.requests.append((params["request"]["method"], params["request"]["url"]))
            if params.get("type") == "Document":
                self.document = params["request"]["url"]
            if "redirectResponse" in params:
                self.statuses[params["redirectResponse"]["url"]] = params["redirectResponse"]["status"]
        elif method == "Network.responseReceived" and params["type"] == "Document":
            self.statuses[params["response"]["url"]] = params["response"]["status"]
        elif method == "Network.responseReceivedExtraInfo":
            for name, value in params["headers"].items():
                if name.lower() == "set-cookie":
                    self.cookies_set += value.split("\n")
        elif method == "Log.entryAdded":
            self.complain(f"{params['entry']['level']}: {params['entry']['text']} ({params['entry'].get('url')})")
        elif method == "Runtime.consoleAPICalled":
            self.complain(f"console.{params['type']}: {params['args']}")
        elif method == "Runtime.exceptionThrown":
            self.complain(f"exception: {params['exceptionDetails']['text']}")
        elif method == "Audits.issueAdded" and kind_of(params["issue"]) not in PASSED_OVER:
            self.complain(f"issue: {json.dumps(params['issue'])}")

    def go(self, url):
        """To a URL, as one who types it; returns when what it leads to has loaded, or has asked for more."""
        failed = self.send("Page.navigate", url=url).get("errorText")
        assert not failed, f"{url}: {failed}"

    def evaluate(self, expression):
        done = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in done, (expression, done["exceptionDetails"])
        return done["result"].get("value")

    def await_that(self, expression, seconds=20):
        """Until it is true of a page that has loaded."""
        def holds():
            try:
                return self.evaluate(f"document.readyState == 'complete' && ({expression})")
            except AssertionError:
                return False  # between two pages

        try:
            await_that(holds, seconds, expression)
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.url()}: {self.text()[:2000]}; {self.complaints}") from None

    def await_url(self, start, seconds=20):
        self.await_that(f"location.href.startsWith({json.dumps(start)})", seconds)

    def url(self):
        return self.evaluate("location.href")

    def text(self):
        return self.evaluate("document.body ? document.body.innerText : ''")

    def press(self, key, modifiers=0):
        code, text = KEYS[key]
        for kind in ("keyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, modifiers=modifiers,
                      **({"text": text} if text and kind == "keyDown" else {}))

    def type(self, text):
        self.send("Input.insertText", text=text)

    def cookies(self):
        """By name, with their attributes, of all sites."""
        found = self.browser.send("Storage.getCookies", browserContextId=self.context)["cookies"]
        return {cookie["name"]: cookie for cookie in found}

    def tree(self):
        """(role, name) of what assistive technology is told of."""
        nodes = self.send("Accessibility.getFullAXTree")["nodes"]
        return [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if not node.get("ignored")]

    def screenshot(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(self.send("Page.captureScreenshot", format="png")["data"]))
