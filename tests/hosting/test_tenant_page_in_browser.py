"""A tenant's page in a real browser: a member's program starts, an approver signs in and signs with a passkey."""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.hosting.test_page_in_browser import browser as browser
from tests.hosting.test_page_in_browser import phone, ready, sign_in
from tests.hosting.test_page_sign_in import certificate as certificate
from tests.hosting.test_whole_sign_in import FOLDER, NODE, Person, Provided, identity_provider
from tests.world.mail_servers import free_port
from tests.world.page import apart
from tests.world.product import GRACE
from tests.world.signing_in import SECRET, Certificate
from tests.world.tenant_pages import NAMES, PagesWorld, two_tenants
from tests.world.tenants import ACME, HOPPER, serving_tenants

from sequences_mcp.domain.plan import PlanStatus
from sequences_mcp.ports.safekeeping import KeptRecord
from sequences_mcp.review.lock import passkeys
from sequences_mcp.server.http.options import path_of_tenant

pytestmark = pytest.mark.skipif(not (FOLDER and NODE), reason="oidc-provider is not here")
ADA = "reviewer:ada (Ada Lovelace)"
# A page asks for a passkey of another host.
BORROW = """async (rpId) => {
  const challenge = new Uint8Array(32);
  try {
    await navigator.credentials.get({ publicKey: { challenge, rpId, userVerification: "required" } });
    return "given";
  } catch (error) {
    return error.name;
  }
}"""


@pytest.fixture
def served(tmp_path: Path, certificate: Certificate) -> Iterator[PagesWorld]:
    """Serve two tenants and their pages, with one provider for programs and people; yield their folders."""
    port = free_port()
    callbacks = [f"https://{name}:{port}/sign-in/back" for name in NAMES.values()]
    with identity_provider(*callbacks, PAGE_SECRET=SECRET) as issuer:
        world = two_tenants(tmp_path, issuer, port=port)
        with serving_tenants(world, Provided(issuer), certificate.options, port=port):
            yield world


def started_by_a_program(world: PagesWorld, certificate: Certificate, who: str) -> dict[str, Any]:
    """Have somebody's program sign in for a tenant and start a sequence there; return what it is told."""
    url = f"https://127.0.0.1:{world.port}{path_of_tenant(ACME)}"
    tls = ssl.create_default_context(cafile=str(certificate.chain))

    async def run() -> dict[str, Any]:
        async with Person(who).connected(url, "auto", tls=tls) as host:
            blueprint = await host.blueprint()
            return await host.call("start_sequence", blueprint_id=blueprint, contacts=[GRACE])

    return apart(run)


def test_a_member_of_a_tenant_approves_there_what_its_program_started_and_nobody_of_another_can(
    served: PagesWorld, certificate: Certificate, browser: Browser
) -> None:
    started = started_by_a_program(served, certificate, "bob")
    link = re.search(r"https://[\w.:-]+/plans/[\w:]+", json.dumps(started))
    assert link is not None and link[0].startswith(f"https://{NAMES[ACME]}:{served.port}/")
    acme, hopper = served.data_folder(ACME), served.data_folder(HOPPER)
    plan = acme.present(started["plan_id"])
    there = link[0].replace(NAMES[ACME], NAMES[HOPPER])
    with phone(browser) as tab:
        tab.goto(there)
        sign_in(tab, "eve", name=NAMES[HOPPER])
        expect(tab.get_by_text("That did not work")).to_be_visible()
        assert tab.get_by_role("button", name="Approve").count() == 0
        tab.goto(link[0])
        tab.get_by_role("link", name="Sign in").click()
        expect(tab.get_by_text("Nobody has given you a role here")).to_be_visible()
    with phone(browser) as tab:
        tab.goto(link[0])
        sign_in(tab, "ada", name=NAMES[ACME])
        ready(tab, tab.locator("#review"))
        _registers(tab, f"https://{NAMES[ACME]}:{served.port}", acme_code=_code(served))
        tab.goto(there)
        assert tab.evaluate(BORROW, NAMES[ACME]) == "SecurityError"
        expect(tab.get_by_role("link", name="Sign in")).to_be_visible()
        tab.goto(f"{link[0]}/sample")
        ready(tab, tab.get_by_role("button", name="Approve 1 person")).click()
        expect(tab.get_by_text(f"Approved by {ADA}")).to_be_visible()
    assert acme.present(plan.id).status is PlanStatus.APPROVED
    [key] = passkeys.registered(acme.safe)
    assert (key.owner, key.host) == ("ada", NAMES[ACME]) and not passkeys.registered(hopper.safe)
    assert acme.rows(
        "SELECT actor, assertion IS NOT NULL FROM approval JOIN approval_signature ON approval_no = no"
    ) == [(ADA, 1)]
    assert hopper.rows("SELECT * FROM approval") == []


def _code(world: PagesWorld) -> str:
    """Return the code that the terminal prints for a passkey of a tenant."""
    return passkeys.new_code(world.data_folder(ACME).safe, KeptRecord.PASSKEY_CODE, now=world.clock())


def _registers(tab: Page, origin: str, *, acme_code: str) -> None:
    tab.goto(f"{origin}/passkeys")
    ready(tab, tab.get_by_label("Code")).fill(acme_code)
    tab.get_by_role("button", name="Register a passkey").click()
    expect(tab.get_by_text("Every approval has to be signed")).to_be_visible()
