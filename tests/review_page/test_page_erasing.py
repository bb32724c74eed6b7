"""Erasing a person on the review page: read, then approved with what approving always takes."""

from __future__ import annotations

from tests.world.page import PageWorld, Visitor

from sequences_mcp.context import AppContext
from sequences_mcp.domain.contact import ContactFields
from sequences_mcp.ports.embedded import ContactEntry, PendingChange
from sequences_mcp.services.erasure import ask_to_erase

ADDRESS = "kara@voss.example"


def asked_for(world: PageWorld) -> PendingChange:
    """Store a person and let an agent ask to erase them."""

    async def ask(app: AppContext) -> PendingChange:
        await app.local.save_contacts([ContactEntry(ContactFields(email=ADDRESS, first_name="Kara"))])
        return await ask_to_erase(app, contact=ADDRESS)

    change: PendingChange = world.at_desk(ask)
    return change


def test_an_erasure_is_read_and_approved_on_the_page(world: PageWorld, person: Visitor) -> None:
    change = asked_for(world)
    path = f"/changes/{change.id}"
    assert path in person.get("/").text
    assert person.post(f"{path}/approve", digest=change.digest).status == 409  # it was not read
    page = person.get(path).text
    assert ADDRESS in page and "cannot be undone" in page and "Erase them for good" in page
    assert person.post(f"{path}/approve", digest=change.digest, key="").status == 403
    assert person.post(f"{path}/approve", digest=change.digest).status == 303
    done = person.get(path).text
    assert "approved by page" in done and "were erased" in done
    assert ADDRESS not in done
    found = world.at_desk(lambda app: app.local.find_contacts(ADDRESS, page=1, size=1))
    assert found.total_count == 0


def test_an_erasure_that_is_rejected_on_the_page_erases_nobody(world: PageWorld, person: Visitor) -> None:
    change = asked_for(world)
    assert person.post(f"/changes/{change.id}/refuse", reason="a mistake").status == 303
    found = world.at_desk(lambda app: app.local.find_contacts(ADDRESS, page=1, size=1))
    assert found.total_count == 1
