"""An import beside everything else: nothing waits long for it, and what holds back waits least."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.world.product import Bureau

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.contact import Contact
from sequences_mcp.errors import ConflictError
from sequences_mcp.services.contacts import entries_to_save
from sequences_mcp.services.imports import import_people, look_through, read_people_file


def file_of(number: int) -> bytes:
    """Return a file of so many people."""
    rows = (f"p{index}@firm{index % 50}.example,Grace,+3361{index:07d},met {index}\n" for index in range(number))
    return ("email,first name,phone,note\n" + "".join(rows)).encode()


async def prepared(app: Any, *emails: str) -> bytes:
    """Return people ready to be saved."""
    entries = await entries_to_save(app, contacts=[{"email": email} for email in emails])
    return bytes(await app.local.prepare_matched(await app.local.match_contacts(entries)))


async def addresses(app: Any) -> list[str]:
    """Return who is stored, by address."""
    return [person.email for person in (await app.local.find_contacts("", page=1, size=50)).items]


async def test_what_holds_back_waits_for_a_part_of_an_import_only(bureau: Bureau) -> None:
    async with bureau.app() as app:
        preview = await look_through(app, await read_people_file(file_of(1_500)))
        begun = time.monotonic()
        saving = asyncio.create_task(import_people(app, preview))
        longest, number = 0.0, 0
        while not saving.done():
            tried = time.monotonic()
            await app.suppressions.suppress("address", f"other{number}@elsewhere.example", reason="asked us to")
            longest, number = max(longest, time.monotonic() - tried), number + 1
            await asyncio.sleep(0)
        took = time.monotonic() - begun
        assert (await saving).created == 1_500
        assert number > 1 and longest < took / 2, f"{longest:.2f} s of {took:.2f} s"


@dataclass
class Pausing:
    """Says of somebody new that no row is about them; at first only once somebody wants the turn."""

    begun: threading.Event = field(default_factory=threading.Event)
    rounds: int = 0

    async def save(self, app: Any, parts: list[bytes], *, since: int) -> Any:
        """Save people, and look at somebody new inside the transaction."""

        def concerns(person: Contact) -> bool:
            self.rounds += 1
            self.begun.set()
            gives_up = time.monotonic() + 60
            while self.rounds == 1 and not app.local.engine.store.is_turn_wanted():
                assert time.monotonic() < gives_up
            return False

        return await app.local.save_prepared(parts, since=since, concerns=concerns)


@pytest.mark.skipif(os.name != "posix", reason="whoever wants the turn shows it by a lock of POSIX")
async def test_an_import_that_is_being_saved_steps_aside_for_what_holds_back_and_is_whole_afterwards(
    bureau: Bureau,
) -> None:
    async with bureau.app() as app:
        since, pausing = await app.local.place_in_audit(), Pausing()
        parts = [await prepared(app, "a@x.example"), await prepared(app, "b@x.example")]
        await app.local.save_contacts(await entries_to_save(app, contacts=[{"email": "new@x.example"}]))
        saving = asyncio.create_task(app.apart(lambda alone: pausing.save(alone, parts, since=since)))
        assert await asyncio.to_thread(pausing.begun.wait, 60)
        await app.suppressions.suppress("address", "c@x.example", reason="asked us to")
        tally = await saving
        assert pausing.rounds == 2 and tally is not None and tally.created == 2
        assert sorted(await addresses(app)) == ["a@x.example", "b@x.example", "new@x.example"]
        assert app.records.engine.store.audit.verify() is None


@pytest.mark.parametrize("fails", [False, True])
async def test_while_an_import_is_made_ready_others_write_and_afterwards_nothing_is_left_of_it(
    bureau: Bureau, fails: bool
) -> None:
    async with bureau.app() as app:
        part = await prepared(app, "a@x.example")
        begun, goes_on = threading.Event(), threading.Event()

        class Parts(list[bytes]):
            def __iter__(self) -> Iterator[bytes]:
                yield part
                begun.set()
                assert goes_on.wait(60)
                if fails:
                    raise RuntimeError("the disk is full")

        async def save(alone: Any) -> Any:
            since = await alone.local.place_in_audit()
            return await alone.local.save_prepared(Parts(), since=since, concerns=lambda person: False)

        saving = asyncio.create_task(app.apart(save))
        assert await asyncio.to_thread(begun.wait, 60)
        await app.local.save_contacts(await entries_to_save(app, contacts=[{"email": "b@x.example"}]))
        goes_on.set()
        result: Any = (await asyncio.gather(saving, return_exceptions=True))[0]
        assert isinstance(result, RuntimeError) if fails else result.created == 1
        stored = ["b@x.example"] if fails else ["a@x.example", "b@x.example"]
        assert sorted(await addresses(app)) == stored
        assert app.records.engine.store.audit.verify() is None


async def test_of_many_rows_each_is_stored_whether_new_or_changed(bureau: Bureau) -> None:
    async with bureau.app() as app:
        await import_people(app, await look_through(app, await read_people_file(file_of(2_500))))
        lines = file_of(5_100).replace(b"Grace", b"Ada").splitlines(keepends=True)
        both = await look_through(
            app, await read_people_file(b"".join([lines[0], *lines[1:1_200], *lines[2_400:]]))
        )
        tally = await import_people(app, both)
        assert (tally.created, tally.updated) == (2_600, 1_300)
        rows = bureau.rows("SELECT email, first_name, phone, notes FROM contact ORDER BY no")
        assert len({email for email, *_ in rows}) == len(rows) == 5_100
        for email, name, phone, notes in rows:
            number = int(email[1:].partition("@")[0])
            assert phone == f"+3361{number:07d}"
            assert notes.endswith(f" met {number}") and notes.count("met") == 1
            assert name == ("Grace" if 1_199 <= number < 2_399 else "Ada")
        saved = bureau.rows("SELECT count(*), count(DISTINCT subject) FROM audit WHERE action = 'contact.saved'")
        assert saved == [(2_500 + 3_900, 5_100)]
        assert app.records.engine.store.audit.verify() is None


async def test_somebody_new_whom_no_row_is_about_does_not_keep_an_import_from_being_saved(bureau: Bureau) -> None:
    async with bureau.app() as app:
        since, part = await app.local.place_in_audit(), await prepared(app, "a@x.example")
        await app.local.save_contacts(await entries_to_save(app, contacts=[{"email": "b@x.example"}]))

        def is_about(person: Contact) -> bool:
            return person.email == "a@x.example"

        async def save(alone: Any) -> Any:
            return await alone.local.save_prepared([part], since=since, concerns=is_about)

        assert (await app.apart(save)).created == 1
        assert await app.apart(save) is None  # by now somebody is new whom the row is about
        assert sorted(await addresses(app)) == ["a@x.example", "b@x.example"]


async def test_a_person_who_was_changed_or_erased_since_is_matched_anew(bureau: Bureau) -> None:
    async with bureau.app() as app:
        await app.local.save_contacts(await entries_to_save(app, contacts=[{"email": "a@x.example"}]))
        [grace] = (await app.local.find_contacts("", page=1, size=10)).items
        since, part = await app.local.place_in_audit(), await prepared(app, "b@x.example")

        async def save(alone: Any) -> Any:
            return await alone.local.save_prepared([part], since=since, concerns=lambda person: False)

        await app.erasures.erase(grace.id, actor=Actor("terminal"))
        assert await app.apart(save) is None
        confirmed = await look_through(app, await read_people_file(b"email\nd@x.example\n"))
        again = await look_through(app, await read_people_file(b"email,company\nd@x.example,Navy\n"))
        await import_people(app, again)
        with pytest.raises(ConflictError, match="Nothing was imported"):
            await import_people(app, confirmed)


async def test_a_new_address_in_an_import_keeps_the_old_one_known(bureau: Bureau) -> None:
    async with bureau.app() as app:
        entries = await entries_to_save(app, contacts=[{"email": "a@x.example", "first_name": "Ada"}])
        [saved] = await app.local.save_contacts(entries)
        changed = [{"id": saved.contact.id, "email": "new@x.example"}]
        matched = await app.local.match_contacts(await entries_to_save(app, contacts=changed))
        since, part = await app.local.place_in_audit(), bytes(await app.local.prepare_matched(matched))
        tally = await app.apart(
            lambda alone: alone.local.save_prepared([part], since=since, concerns=lambda person: True)
        )
        assert tally is not None and (tally.created, tally.updated) == (0, 1)
        store = app.records.engine.store
        assert store.contacts.at_address("a@x.example") == [saved.contact.id]
        [now] = await app.local.get_contacts([saved.contact.id])
        assert (now.email, now.first_name) == ("new@x.example", "Ada")
