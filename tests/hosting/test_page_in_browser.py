"""A real browser and a certified provider: signed in on a phone, approved with a passkey, named on record."""

from __future__ import annotations

import re
import socket
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.sync_api import Browser, Locator, Page, expect
from tests.hosting.test_page_sign_in import certificate as certificate
from tests.hosting.test_whole_sign_in import FOLDER, NODE, identity_provider
from tests.review_page.page_browser import PATIENCE, PHONE, RunningBrowser
from tests.review_page.test_page_passkey import AUTHENTICATOR
from tests.secrecy.hearing import heard, learnt
from tests.world.http_server import serving
from tests.world.page import PASSPHRASE, PageWorld
from tests.world.signing_in import NAME, SECRET, Certificate, page_share

from sequences_mcp.domain.plan import Plan, PlanStatus
from sequences_mcp.ports.safekeeping import KeptRecord
from sequences_mcp.review.lock import passkeys
from sequences_mcp.server.http.issuer import IssuerKeys, fetch_document

pytestmark = pytest.mark.skipif(not (FOLDER and NODE), reason="oidc-provider is not here")


@pytest.fixture
def browser(certificate: Certificate) -> Iterator[Browser]:
    """Yield a browser that trusts this one certificate."""
    leaf = x509.load_pem_x509_certificate(certificate.chain.read_bytes())
    key = leaf.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    flag = f"--ignore-certificate-errors-spki-list={b64encode(sha256(key).digest()).decode()}"
    running = RunningBrowser(flag)
    try:
        with running.taken() as browser:
            yield browser
    finally:
        running.close()


@pytest.fixture
def origin(world: PageWorld, certificate: Certificate) -> Iterator[str]:
    """Serve the page and its provider; yield its origin."""
    with socket.socket() as held:  # the provider is told of a port before it is listened on
        held.bind(("127.0.0.1", 0))
        wanted = held.getsockname()[1]
    with identity_provider(f"https://{NAME}:{wanted}/sign-in/back", PAGE_SECRET=SECRET) as issuer:
        keys = IssuerKeys(issuer, fetch_document, lambda: 0.0)
        with serving(
            world, certificate.options, page=lambda port: page_share(world, port, keys=keys), port=wanted
        ) as served:
            yield f"https://{NAME}:{served.port}"


@contextmanager
def phone(browser: Browser) -> Iterator[Page]:
    """Yield a tab of a phone with a passkey's authenticator, which loads nothing from elsewhere."""
    context = browser.new_context(viewport=PHONE, has_touch=True)
    context.set_default_timeout(PATIENCE)
    ours = r"127\.0\.0\.1|([\w-]+\.)?review\.localhost"
    context.route(re.compile(rf"^https?://(?!{ours})"), lambda route: route.abort())
    tab = context.new_page()
    session = context.new_cdp_session(tab)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    try:
        yield tab
    finally:
        for cookie in context.cookies():
            learnt("a session's cookie", cookie.get("value", ""))
        heard("a page in the browser", tab.content())
        context.close()


def sign_in(tab: Page, who: str, *, name: str = NAME) -> None:
    """Press the button, be somebody at the provider, and come back."""
    tab.get_by_role("link", name="Sign in").click()
    tab.locator('input[name="login"]').fill(who)
    tab.locator('input[name="password"]').fill("x")
    tab.get_by_role("button").click()
    tab.locator('input[name="prompt"][value="consent"]').wait_for(state="attached")
    tab.get_by_role("button", name="Continue").click()
    tab.wait_for_url(re.compile(rf"^https://{re.escape(name)}"))


def ready(tab: Page, shown: Locator) -> Locator:
    """Return what a screen shows once its script has run: on the way back the browser loads one address twice."""
    shown.wait_for()
    tab.wait_for_load_state("load")
    return shown


def fits(tab: Page) -> bool:
    """Say whether a screen is no wider than the phone."""
    return bool(tab.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def test_an_approver_on_a_phone_signs_in_unlocks_and_approves_with_a_passkey(
    world: PageWorld, browser: Browser, origin: str
) -> None:
    world.lock_up()
    plan: Plan = world.plan(people=2)
    with phone(browser) as tab:
        tab.goto(f"{origin}/plans/{plan.id}")
        assert fits(tab)
        sign_in(tab, "ada")
        ready(tab, tab.get_by_label("Passphrase")).fill(PASSPHRASE)
        tab.get_by_role("button", name="Unlock").click()
        ready(tab, tab.locator("#review"))
        expect(tab.get_by_text("Ada Lovelace, approver")).to_be_visible()
        assert tab.url == f"{origin}/plans/{plan.id}" and fits(tab)
        tab.goto(f"{origin}/passkeys")
        code = passkeys.new_code(world.safe, KeptRecord.PASSKEY_CODE, now=world.clock())
        tab.get_by_label("Code").fill(code)
        tab.get_by_role("button", name="Register a passkey").click()
        expect(tab.get_by_text("Every approval has to be signed")).to_be_visible()
        world.clock.forward(minutes=6)  # looked up at the provider again, without a question
        tab.goto(f"{origin}/plans/{plan.id}/sample")
        approves = ready(tab, tab.get_by_role("button", name="Approve 2 people"))
        assert fits(tab)
        approves.click()
        expect(tab.get_by_text("Approved by reviewer:ada (Ada Lovelace)")).to_be_visible()
    [key] = passkeys.registered(world.safe)
    assert (key.owner, key.host, key.origins) == ("ada", NAME, (origin,))
    assert world.rows(
        "SELECT actor, assertion IS NOT NULL FROM approval JOIN approval_signature ON approval_no = no"
    ) == [("reviewer:ada (Ada Lovelace)", 1)]
    assert world.rows("SELECT actor FROM audit WHERE action = 'plan.approved'") == [
        ("reviewer:ada (Ada Lovelace)",)
    ]
    assert len(world.mails_after_work()) == 2


def test_a_member_in_a_browser_finds_no_way_to_approve(world: PageWorld, browser: Browser, origin: str) -> None:
    plan: Plan = world.plan(people=1)
    with phone(browser) as tab:
        tab.goto(f"{origin}/plans/{plan.id}/sample")
        sign_in(tab, "bob")
        expect(tab.get_by_text("An approver decides about this")).to_be_visible()
        assert tab.get_by_role("button", name="Approve").count() == 0
        ready(tab, tab.get_by_role("button", name="Sign out")).click()
        expect(tab.get_by_text("You are signed out here")).to_be_visible()
        tab.goto(f"{origin}/plans/{plan.id}")
        expect(tab.get_by_role("link", name="Sign in")).to_be_visible()
    assert world.present(plan.id).status is PlanStatus.WAITING
