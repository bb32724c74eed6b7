"""docs/hosting.md on a machine with nothing on it: its commands, then a chat, a person who approves, an e-mail.

Run by ``test_hosting_page.py``, in namespaces of its own. The programs are those of this machine, and the product
is the one that is tested. The rest of the world is here: an authority that everybody trusts, a mail server, a
chat's web site.
"""

from __future__ import annotations

import asyncio
import html
import json
import os
import re
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from tempfile import mkdtemp
from urllib.parse import urljoin, urlsplit

import httpx2
import trustme
from aiosmtpd.smtp import AuthResult, LoginPassword
from tests.hosting.test_whole_sign_in import CALLBACK, Person
from tests.world.clean_machine import REPOSITORY, TRUSTED, CleanMachine, clean_machine, commands_of
from tests.world.mail_servers import Inbox, ScriptedController, bytes_of
from tests.world.product import MAIL

SECTION = "From a clean machine to the first approved start"
HERE = "mcp.example.com review.example.com login.example.com mail.example.com"
ELSEWHERE = "11.1.1.1"  # a public address, for providers look at no document on loopback
PROGRAM = "https://chat.example:8443/client.json"
ADA = "ada@example.com"
PATIENCE = 120.0
FORM = re.compile(r"<form\b[^>]*>.*?</form>", re.DOTALL)


class Browser:
    """What a person's browser does at the issuer and on the review page: follows, fills in, sends."""

    def __init__(self, trusted: ssl.SSLContext) -> None:
        self.http = httpx2.AsyncClient(verify=trusted, timeout=httpx2.Timeout(PATIENCE))

    async def opens(self, address: str, *, back: str = "-", **form: str) -> httpx2.Response | str:
        """Open an address, or send a form there, and go where that leads; an address that begins so is the end."""
        site, method = "none", "POST" if form else "GET"
        while True:
            headers = {"sec-fetch-site": site, "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
            if method == "POST":
                parts = urlsplit(address)
                headers |= {"origin": f"{parts.scheme}://{parts.netloc}", "sec-fetch-site": "same-origin"}
            answer = await self.http.request(method, address, data=form or None, headers=headers)
            if 'http-equiv="refresh"' in answer.text:  # the page, so that what comes from it is its own
                site = "same-origin"
                continue
            if not answer.is_redirect:
                return answer
            there = urljoin(address, answer.headers["location"])
            if there.startswith(back):
                return there
            is_same = urlsplit(there).netloc == urlsplit(address).netloc
            address, method, form, site = there, "GET", {}, "same-origin" if is_same else "same-site"

    async def shown(self, address: str) -> httpx2.Response:
        """Open a screen."""
        answer = await self.opens(address)
        assert isinstance(answer, httpx2.Response)
        return answer

    async def sends(self, screen: httpx2.Response, *, to: str = "", back: str = "-", **filled: str) -> object:
        """Send the first form of a screen that leads there, with what it holds and what is filled in."""
        form = next((found for found in FORM.findall(screen.text) if to in found), None)
        assert form, screen.text
        action = re.search(r'action="([^"]+)"', form)
        hidden = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form)
        fields = {name: html.unescape(value) for name, value in hidden} | filled
        address = urljoin(str(screen.url), action[1] if action else "")
        return await self.opens(address, back=back, **(fields or {"": ""}))

    async def signs_in(self, address: str, *, name: str, password: str, back: str = "-") -> object:
        """Be somebody at the issuer, agree to what is asked there, and come back."""
        answer: object = await self.opens(address, back=back)
        while isinstance(answer, httpx2.Response) and answer.url.host == "login.example.com":
            is_asked = 'name="login"' in answer.text
            fields = {"login": name, "password": password} if is_asked else {}
            answer = await self.sends(answer, back=back, **fields)
        return answer


class Ada(Person):
    """The person, who signs in for the chat with the password that the page's commands printed."""

    def __init__(self, browser: Browser, password: str) -> None:
        super().__init__("ada", program=PROGRAM)
        self.browser, self.password = browser, password

    async def sign_in(self, address: str) -> None:
        """Sign in, and stop where the program is called back."""
        back = await self.browser.signs_in(address, name="ada", password=self.password, back=CALLBACK)
        assert isinstance(back, str), back
        self.redirect = back


@contextmanager
def web_site(certificate: trustme.LeafCert) -> Iterator[None]:
    """Serve the metadata document of a chat's program, as its maker's site does."""
    document = {
        "client_id": PROGRAM,
        "client_name": "A chat",
        "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "application_type": "native",
    }

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(document).encode())

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = HTTPServer((ELSEWHERE, 8443), Answering)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def mail_server_of(certificate: trustme.LeafCert, password: str) -> Iterator[Inbox]:
    """Run the mail server that the page's mailbox is at."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    inbox = Inbox({})

    def is_ada(
        server: object, session: object, envelope: object, mechanism: str, given: LoginPassword
    ) -> AuthResult:
        known = (given.login, given.password) == (ADA.encode(), password.encode())
        return AuthResult(success=known, handled=False)

    controller = ScriptedController(
        inbox,
        hostname="127.0.0.1",
        port=465,
        server_hostname="mail.example.com",
        ssl_context=context,
        auth_require_tls=False,
        authenticator=is_ada,
    )
    controller.start()
    try:
        yield inbox
    finally:
        controller.stop()


def network(machine: CleanMachine) -> None:
    """Give the machine its names, and have the same ones here."""
    names = f"127.0.0.1 localhost {HERE}\n{ELSEWHERE} chat.example\n"
    machine.write("etc/hosts", names)
    own = Path(mkdtemp()) / "hosts"
    own.write_text(names)
    for command in (
        ("mount", "--bind", str(own), "/etc/hosts"),
        ("ip", "link", "set", "lo", "up"),
        ("ip", "addr", "add", f"{ELSEWHERE}/32", "dev", "lo"),
    ):
        subprocess.run(command, check=True)


async def first_start(machine: CleanMachine, password: str, inbox: Inbox) -> None:
    """Do what the page's last paragraph says, as the chat and as the person."""
    trusted = ssl.create_default_context(cafile=str(machine.root / TRUSTED))
    browser, arrived = Browser(trusted), threading.Event()
    ada = Ada(browser, password)
    inbox.goes_on = lambda _: arrived.set()
    async with ada.connected("https://mcp.example.com/mcp", "auto") as host:
        blueprint = await host.blueprint({**MAIL, "subject": "A first e-mail"})
        grace = {"email": ADA, "first_name": "Ada", "last_name": "Lovelace"}
        started = await host.call("start_sequence", blueprint_id=blueprint, contacts=[grace])
        where = re.search(r"https://review\.example\.com(/plans/[\w:-]+)", json.dumps(started))
        assert where and started["outcome"] == "waiting_for_approval" and not inbox.taken, started
        door = await browser.shown(where[0])
        assert door.status_code == 401 and "Sign in" in door.text, door.text
        # The browser is known at the issuer from the chat's sign-in, and is asked nothing again but to agree.
        plan = await browser.signs_in(
            f"https://review.example.com/sign-in?next={where[1]}", name="ada", password=password
        )
        assert isinstance(plan, httpx2.Response) and "Ada Lovelace, approver" in plan.text, plan
        assert "A first e-mail" in (await browser.shown(f"{where[0]}/sample")).text
        approved = await browser.sends(await browser.shown(where[0]), to="/approve")
        assert isinstance(approved, httpx2.Response) and "Approved by reviewer:ada" in approved.text, approved
        assert await asyncio.to_thread(arrived.wait, PATIENCE)
        assert b"Subject: A first e-mail" in bytes_of(inbox.taken[0]) and inbox.taken[0].rcpt_tos == [ADA]
        assert "AUTH" in inbox.commands
        async with asyncio.timeout(PATIENCE):
            while (await host.call("list_sequences"))["items"][0]["status"] != "COMPLETED":
                await asyncio.sleep(0)
    await browser.http.aclose()


def main() -> None:
    """Follow the page from its first command to its last sentence."""
    blocks = commands_of((REPOSITORY / "docs/hosting.md").read_text(encoding="utf-8"), SECTION)
    public = trustme.CA()
    with clean_machine() as machine:
        network(machine)
        machine.write("usr/local/share/ca-certificates/public.crt", public.cert_pem.bytes().decode())
        machine.run(blocks[0])
        word = machine.environ["SMTP_PASSWORD"]
        with (
            mail_server_of(public.issue_cert("mail.example.com"), word) as inbox,
            web_site(public.issue_cert("chat.example")),
        ):
            said = "".join(machine.run(block) for block in blocks[1:])
            os.environ["SSL_CERT_FILE"] = str(machine.root / TRUSTED)
            password = re.search(r"ada signs in with (\S+)", said)
            assert password and '"ready":true' in said, said
            asyncio.run(first_start(machine, password[1], inbox))
        actors = "SELECT DISTINCT actor FROM audit WHERE action = 'plan.approved' OR action LIKE 'blueprint%'"
        ask = partial(machine.run, f'runuser -u sequences -- psql -AtX -c "{actors} ORDER BY actor"')
        assert ask().split("\n")[:2] == ["agent:ada", "reviewer:ada (Ada Lovelace)"], ask()
        log = [json.loads(line) for line in machine.read("var/log/sequences.out").splitlines()]
        assert {line["client"] for line in log} == {"127.0.0.1"}, log


if __name__ == "__main__":
    main()
    print("It was followed to its end.")
