"""Contacts: one row a person, however their address is spelled."""

from __future__ import annotations

import pytest
from tests.world.engine import EngineWorld

from sequences_mcp.domain.contact import ContactFields
from sequences_mcp.errors import ConflictError, InvalidArgumentsError, NotFoundError, WrongIdError
from sequences_mcp.ports.embedded import ContactEntry, SavedContact


async def save(world: EngineWorld, *entries: ContactFields, note: str | None = None) -> list[SavedContact]:
    return await world.local.save_contacts([ContactEntry(fields, note) for fields in entries])


async def test_the_same_address_in_another_case_is_the_same_person(world: EngineWorld) -> None:
    first = await save(world, ContactFields(email="Zoë@Example.ORG", first_name="Zoë"))
    second = await save(world, ContactFields(email=" zoë@example.org ", last_name="Okafor"))
    assert [first[0].created, second[0].created] == [True, False]
    assert second[0].contact.id == first[0].contact.id
    assert second[0].contact.first_name == "Zoë"
    assert second[0].contact.last_name == "Okafor"


async def test_the_same_number_in_another_spelling_is_the_same_person(world: EngineWorld) -> None:
    first = await save(world, ContactFields(phone="06 12 34 56 78", country="fr"))
    second = await save(world, ContactFields(phone="+33 6 12 34 56 78", email="a@example.org"))
    assert first[0].contact.phone == "+33612345678"
    assert first[0].contact.country == "FR"
    assert second[0].contact.id == first[0].contact.id
    assert second[0].contact.email == "a@example.org"


async def test_a_number_without_its_country_uses_the_one_already_known(world: EngineWorld) -> None:
    await save(world, ContactFields(email="a@example.org", country="DE"))
    saved = await save(world, ContactFields(email="a@example.org", phone="030 123456"))
    assert saved[0].contact.phone == "+4930123456"


async def test_what_is_not_said_keeps_what_is_stored(world: EngineWorld) -> None:
    await save(world, ContactFields(email="a@example.org", company="Acme", job_title="  Chief\n Cook "))
    saved = await save(world, ContactFields(email="a@example.org", company=" "))
    assert saved[0].contact.company == "Acme"
    assert saved[0].contact.job_title == "Chief Cook"


async def test_notes_are_appended_with_their_time_and_never_overwritten(world: EngineWorld) -> None:
    fields = ContactFields(email="a@example.org")
    await save(world, fields, note="Met at a fair.")
    world.clock.forward(hours=1)
    saved = await save(world, fields, note="Called back.")
    assert saved[0].contact.notes == (
        "[via API 2026-11-23T09:00:00Z] Met at a fair.\n[via API 2026-11-23T10:00:00Z] Called back."
    )


async def test_saving_the_same_facts_again_changes_nothing(world: EngineWorld) -> None:
    first = await save(world, ContactFields(email="a@example.org", first_name="Ann"))
    world.clock.forward(hours=1)
    assert (await save(world, ContactFields(email="a@example.org", first_name="Ann")))[0].contact == first[
        0
    ].contact


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (ContactFields(first_name="Ann"), "neither an e-mail address nor a phone number"),
        (ContactFields(linkedin_url="https://linkedin.com/in/ann"), "neither an e-mail address nor a phone"),
        (ContactFields(email="ann"), "is not an e-mail address"),
        (ContactFields(email="ann@localhost"), "is not an e-mail address"),
        (ContactFields(email="ann@example.org, bob@example.org"), "is not an e-mail address"),
        (ContactFields(email="ann@example.org\r\nBcc: x@example.org"), "is not an e-mail address"),
        (ContactFields(phone="0612345678"), "does not begin with"),
        (ContactFields(phone="+33 1"), "is not a phone number"),
        (
            ContactFields(phone="call me", country="FR"),
            "it is not the digits of one number.",
        ),
        (ContactFields(phone="555-1234", country="US"), "is not a phone number: its area code is missing."),
        (ContactFields(phone="+999 123456789"), "is not a phone number: no country has its code."),
        (ContactFields(phone="3.36123E+10"), "has rounded it, so its last digits are lost"),
        (ContactFields(phone="3,36123E+10", country="FR"), "has rounded it, so its last digits are lost"),
        (ContactFields(email="a@example.org", country="France"), "ISO 3166"),
        (ContactFields(email="a@example.org", country="XQ"), "ISO 3166"),
        (ContactFields(email="a@example.org", time_zone="Paris"), "IANA"),
        (ContactFields(email="a@example.org", language="français"), "language tag"),
        (ContactFields(email="a@example.org", company_domain="acme"), "is not a domain"),
        (ContactFields(email="a@example.org", linkedin_url="https://evil.example/in/a"), "LinkedIn"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_fact_that_cannot_be_right_is_refused_with_its_place(
    world: EngineWorld, fields: ContactFields, words: str
) -> None:
    with pytest.raises(InvalidArgumentsError, match=words) as caught:
        await save(world, ContactFields(email="good@example.org"), fields)
    assert caught.value.message.startswith("contact 2: ")
    assert (await world.local.find_contacts("", page=1, size=10)).total_count == 0


async def test_an_address_and_a_number_of_two_people_are_refused_with_both_names(world: EngineWorld) -> None:
    saved = await save(world, ContactFields(email="a@example.org"), ContactFields(phone="+33612345678"))
    with pytest.raises(ConflictError) as caught:
        await save(world, ContactFields(email="a@example.org", phone="+33612345678"))
    assert caught.value.data == {"by_email": saved[0].contact.id, "by_phone": saved[1].contact.id}


@pytest.mark.parametrize(
    "second",
    [ContactFields(email="ANN@example.org"), ContactFields(phone="+33 6 12 34 56 78")],
    ids=["address", "number"],
)
async def test_one_person_named_twice_in_a_call_is_refused_with_both_places(
    world: EngineWorld, second: ContactFields
) -> None:
    first = ContactFields(email="ann@example.org", phone="+33612345678")
    with pytest.raises(InvalidArgumentsError, match="1 and 3"):
        await save(world, first, ContactFields(email="bob@example.org"), second)


async def test_people_are_found_by_any_of_their_names_without_case(world: EngineWorld) -> None:
    await save(
        world,
        ContactFields(email="zoe@acme.example", first_name="Zoë", company="Größe GmbH", job_title="Cook"),
        ContactFields(email="bob@other.example", first_name="Bob"),
    )
    for query in ("zoë", "ZOE@", "größe", "cook", " ZOË "):
        found = await world.local.find_contacts(query, page=1, size=10)
        assert [one.email for one in found.items] == ["zoe@acme.example"], query
    assert (await world.local.find_contacts("", page=2, size=1)).items[0].first_name == "Bob"


async def test_a_search_takes_wildcards_literally(world: EngineWorld) -> None:
    await save(
        world, ContactFields(email="a@example.org", company="100%_a\\b"), ContactFields(email="b@example.org")
    )
    for query in ("%", "_", "\\"):
        found = await world.local.find_contacts(query, page=1, size=10)
        assert found.total_count == 1, query


async def test_contacts_come_back_in_the_order_asked_for_and_missing_ones_are_named(world: EngineWorld) -> None:
    saved = await save(world, *(ContactFields(email=f"p{number}@example.org") for number in range(3)))
    ids = [one.contact.id for one in reversed(saved)]
    assert [one.id for one in await world.local.get_contacts(ids)] == ids
    with pytest.raises(NotFoundError, match="local:ct_none"):
        await world.local.get_contacts([*ids, "local:ct_none"])
    with pytest.raises(WrongIdError):
        await world.local.get_contacts(["local:seq_1"])
