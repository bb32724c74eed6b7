"""Erasing somebody takes all that names them, however it is written, and nothing that is another's."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import Any

import pytest
from tests.services.test_erasing import contact_of, started, traces_of
from tests.world.data_folder import sqlite_of
from tests.world.product import GRACE, LINUS, MAIL, Bureau

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.contact import ContactFields
from sequences_mcp.domain.erasure import ERASED, PersonMarks, marks_of
from sequences_mcp.engine.erasure import Decided, erased
from sequences_mcp.engine.inbound.effects import incoming, take_in_message
from sequences_mcp.errors import ConflictError
from sequences_mcp.ports.embedded import ContactEntry
from sequences_mcp.private_files import export_name, write_private
from sequences_mcp.services.erasure import erase_approved
from sequences_mcp.store import erasure

ROLE = "zqxvacancies@hopper.example"


def person(facts: dict[str, Any], **others: str) -> dict[str, Any]:
    """Return facts of somebody who has no profile."""
    return {**{name: value for name, value in facts.items() if name != "linkedin_url"}, **others}


async def handed_over(bureau: Bureau) -> tuple[str, str]:
    """Have Grace's old address, to which an e-mail went, become Linus's; return both their ids."""
    _, [grace] = await started(bureau, person(GRACE, email=ROLE))
    bureau.work()
    bureau.forward(days=4)
    bureau.work()  # the last step
    async with bureau.client() as model:
        await model.call("save_contacts", contacts=[{"id": grace, "email": GRACE["email"]}])
    _, [linus] = await started(bureau, person(LINUS, email=ROLE, last_name="Zqxtorvalds"))
    bureau.work()
    return grace, linus


async def answer_from(bureau: Bureau, sender: str, text: str, **headers: str) -> None:
    """Take in an e-mail."""
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    raw = f"From: {sender}\r\nSubject: Re: a call\r\nMessage-ID: <{len(text)}@there>\r\n{lines}\r\n{text}"
    item = incoming(raw.encode(), arrived_at=bureau.clock())
    async with bureau.app("terminal") as app:
        with app.changes.engine.store.transaction() as work:
            take_in_message(work, item, address="ada@lovelace.example", now=bureau.clock())


async def test_whoever_has_the_address_of_somebody_erased_now_keeps_all_that_is_theirs(bureau: Bureau) -> None:
    grace, linus = await handed_over(bureau)
    [theirs] = [mail for mail in bureau.outbox if "Linus" in mail.get_content()]
    await answer_from(bureau, ROLE, "linuswrites", In_Reply_To=theirs["Message-ID"])
    async with bureau.app("terminal") as app:
        exported, _ = await app.erasures.export(grace)
        assert "linuswrites" not in exported.read_text("utf-8")
        await app.erasures.erase(grace, actor=Actor("terminal"))
        [contact] = await app.local.get_contacts([linus])
        assert contact.email == ROLE
        assert await app.suppressions.suppressed_among([contact]) == {}
        assert app.changes.engine.store.audit.verify() is None
    assert bureau.rows("SELECT text FROM inbound WHERE text = 'linuswrites'")
    assert [mail["To"] for mail in bureau.outbox] == [ROLE]
    async with bureau.client() as model:
        await model.call("save_contacts", contacts=[{"email": ROLE, "company": "Kernel"}])


async def test_an_address_that_somebody_else_had_before_goes_with_whoever_has_it(bureau: Bureau) -> None:
    grace, linus = await handed_over(bureau)
    async with bureau.app("terminal") as app:
        await app.erasures.erase(linus, actor=Actor("terminal"))
        [contact] = await app.local.get_contacts([grace])
        assert contact.email == GRACE["email"]
        assert await app.suppressions.suppressed_among([contact]) == {}
    assert traces_of(bureau.folder, "zqxvacancies", "zqxtorvalds") == []


async def test_whoever_sends_and_tried_it_with_their_own_address_loses_nothing_of_what_they_sent(
    bureau: Bureau,
) -> None:
    own = {"email": "ada@lovelace.example", "first_name": "Ada", "last_name": "Lovelace"}
    _, [ada] = await started(bureau, own)
    await started(bureau, GRACE)
    async with bureau.client() as model:
        blueprint = await model.blueprint({**MAIL, "id": "s9", "content": "Hi {{firstname}}! Ada Lovelace"})
        given = [person(LINUS)]
        view = await model.call("start_sequence", blueprint_id=blueprint, contacts=given)
    async with bureau.app("terminal") as app:
        await app.plans.approve_plan(view["plan_id"], digest=view["digest"], actor=Actor("terminal"))
    bureau.work()
    async with bureau.app("terminal") as app:
        tally = await app.erasures.erase(ada, actor=Actor("terminal"))
    assert tally.mentions == ()
    assert [mail["To"] for mail in bureau.outbox] == [GRACE["email"], LINUS["email"]]
    assert "Ada Lovelace" in bureau.outbox[1].get_content()
    assert bureau.rows("SELECT 1 FROM step_run WHERE content LIKE '%Ada Lovelace%'")
    assert traces_of(bureau.folder / "outbox", ERASED) == []


async def test_what_is_given_of_one_person_has_nothing_of_somebody_whose_address_ends_alike(
    bureau: Bureau,
) -> None:
    await started(bureau, person(GRACE, email="ann@hopper.example"))
    await started(bureau, person(LINUS, email="joann@hopper.example"))
    async with bureau.app("terminal") as app:
        exported, _ = await app.erasures.export(await contact_of(app, "ann@hopper.example"))
        assert "joann" not in exported.read_text("utf-8")
        ann = (await app.local.find_contacts("Grace", page=1, size=1)).items[0]
        tally = await app.erasures.erase(ann.id, actor=Actor("terminal"))
    assert tally.mentions == ()


async def test_an_export_that_was_written_while_somebody_was_erased_goes_too(bureau: Bureau) -> None:
    _, [grace] = await started(bureau, GRACE)
    async with bureau.app("terminal") as app:
        folder = app.workspace.exports
        file = folder / export_name("contact", "json", now=bureau.clock())
        with app.changes.engine.store.transaction() as work:
            erased(work, [grace], bureau.folder, by=Decided(Actor("terminal"), bureau.clock(), new_ids=()))
            write_private(file, json.dumps(GRACE))  # by another program, that reads what is still committed
    assert not file.exists()


async def test_files_of_e_mails_to_others_that_named_somebody_go_once_their_sequence_is_over(
    bureau: Bureau,
) -> None:
    _, [grace] = await started(bureau, {**GRACE, "first_name": "Zoë", "last_name": "Müllerzqx"})
    async with bureau.client() as model:
        blueprint = await model.blueprint(
            {**MAIL, "id": "s9", "content": "Hi {{firstname}}, ZOË MÜLLERZQX knows."}
        )
        view = await model.call("start_sequence", blueprint_id=blueprint, contacts=[person(LINUS)])
    async with bureau.app("terminal") as app:
        await app.plans.approve_plan(view["plan_id"], digest=view["digest"], actor=Actor("terminal"))
    bureau.work()
    assert traces_of(bureau.folder / "outbox", "llerzqx")
    async with bureau.app("terminal") as app:
        tally = await app.erasures.erase(grace, actor=Actor("terminal"))
    assert tally.mentions == (blueprint,)  # whose fixed text names them, and is told
    assert traces_of(bureau.folder / "outbox", "llerzqx") == []
    assert bureau.rows("SELECT content FROM step_run WHERE content LIKE '%llerzqx%'") == []


@pytest.mark.parametrize("sender", ["kara@bücher.example", "KARA@xn--bcher-kva.example", "Kara@BÜCHER.example"])
async def test_mail_from_every_spelling_of_an_address_goes(bureau: Bureau, sender: str) -> None:
    await started(bureau, GRACE)
    bureau.work()
    async with bureau.client() as model:
        saved = await model.call("save_contacts", contacts=[{"email": "kara@bücher.example"}])
    await answer_from(bureau, f"<{sender}>", "zqxwords")
    assert bureau.rows("SELECT text FROM unmatched_mail")
    async with bureau.app("terminal") as app:
        await app.erasures.erase(saved["contacts"][0]["contact_id"], actor=Actor("terminal"))
    assert traces_of(bureau.folder, "zqxwords") == []


KARA = {"first_name": "Karazqx", "last_name": "Vosszqx", "phone": "+33612987654"}
FULL = {**KARA, "email": "karazqx@voss.example", "linkedin_url": "https://www.linkedin.com/in/karazqx"}


async def refused(bureau: Bureau, *people: dict[str, Any]) -> None:
    """Expect of each that they are not saved, because they were erased."""
    async with bureau.client() as model:
        for facts in people:
            assert "erased" in (await model.refused("save_contacts", contacts=[facts]))["message"], facts


async def test_whoever_was_erased_is_known_again_by_any_of_their_marks(bureau: Bureau) -> None:
    _, [kara] = await started(bureau, FULL, approve=False)
    async with bureau.app("terminal") as app:
        await app.erasures.erase(kara, actor=Actor("terminal"))
    upper = {**KARA, "first_name": "KARAZQX", "email": "kara.zqx@voss.example"}
    profile = {"email": "another@voss.example", "linkedin_url": "http://fr.linkedin.com/in/KaraZQX/"}
    await refused(bureau, FULL, {"email": "KARAZQX@VOSS.example"}, KARA, upper, profile)
    async with bureau.client() as model:  # a colleague at the same switchboard is somebody else
        await model.call("save_contacts", contacts=[{**GRACE, "phone": KARA["phone"]}])
        blueprint = await model.blueprint({**MAIL, "id": "s9"})
        people = [person(LINUS), FULL, upper]
        await model.call("start_sequence", blueprint_id=blueprint, contacts=people)
    assert traces_of(bureau.folder, "karazqx", "vosszqx") == []


async def test_whether_rows_are_about_people_who_were_erased_is_read_once_for_all_of_them(bureau: Bureau) -> None:
    _, [kara] = await started(bureau, FULL, approve=False)
    others = [ContactFields(email=f"{number}@voss.example", first_name="Ida") for number in range(40)]
    rows = [ContactEntry(facts) for facts in (ContactFields(email="KARAZQX@voss.example"), *others)]
    statements: list[str] = []
    async with bureau.app("terminal") as app:
        await app.erasures.erase(kara, actor=Actor("terminal"))
        with sqlite_of(app.changes.engine.store).writer as writer:
            writer.set_trace_callback(statements.append)
        saved = await app.local.save_contacts(rows, leaves_erased_out=True)
    assert [contact.is_stored for contact in saved] == [False, *[True] * 40]
    assert len([sql for sql in statements if "erased_key" in sql]) <= 3


@pytest.mark.parametrize(("facts", "by"), [(FULL, "address"), (KARA, "contact")])
async def test_a_lift_lets_a_person_be_stored_with_all_their_marks_and_nobody_else(
    bureau: Bureau, facts: dict[str, Any], by: Any
) -> None:
    other = {**FULL, "email": "other@voss.example", "phone": "+33612987655", "linkedin_url": None}
    other = {name: value for name, value in other.items() if value}
    async with bureau.client() as model:
        saved = await model.call("save_contacts", contacts=[facts, other])
    ids = [contact["contact_id"] for contact in saved["contacts"]]
    async with bureau.app("terminal") as app:
        for contact_id in ids:  # at one instant
            await app.erasures.erase(contact_id, actor=Actor("terminal"))
    await refused(bureau, facts, other)
    async with bureau.app("terminal") as app:
        value = facts["email"] if by == "address" else ids[0]
        await app.suppressions.lift(by, value, reason="they wrote to us", actor=Actor("terminal"))
    (bureau.folder / "suppressions.log").touch()
    async with bureau.client() as model:
        await model.call("save_contacts", contacts=[facts])
    await refused(bureau, other)


async def test_nobody_is_erased_who_became_somebody_else_after_it_was_shown(bureau: Bureau) -> None:
    async with bureau.client() as model:
        saved = await model.call("save_contacts", contacts=[{"email": "test@hopper.example"}])
        contact_id = saved["contacts"][0]["contact_id"]
        change_id = (await model.refused("erase_contact", contact=contact_id))["change_id"]
        await model.call("save_contacts", contacts=[{"id": contact_id, **person(GRACE)}])
    async with bureau.app("terminal") as app:
        change = await app.changes.get(change_id)
        with pytest.raises(ConflictError, match="not the person that was shown"):
            await erase_approved(app, change, digest=change.digest, actor=Actor("terminal"))
        [contact] = await app.local.get_contacts([contact_id])
    assert contact.email == GRACE["email"]


ZOE = marks_of(
    ContactFields(
        email="zoe@bücher.example",
        first_name="Zoë",
        last_name='O"Neil',
        phone="+33612987654",
        linkedin_url="https://www.linkedin.com/in/zoë-x",
    )
)


@pytest.mark.parametrize("name", [("Li", "Bo"), ("Zoë", 'O"Neil'), ("Ольга", "Åsova"), ("小明", "王")])
def test_rows_that_name_somebody_are_looked_for_in_texts_and_in_json_and_few_others_are(
    name: tuple[str, str],
) -> None:
    first, last = name
    patterns = json.loads(erasure._patterns(marks_of(ContactFields(first_name=first, last_name=last))))
    with closing(sqlite3.connect(":memory:")) as database:

        def finds(text: str) -> bool:
            return any(
                database.execute("SELECT ? LIKE ? ESCAPE '\\'", (text, one)).fetchone()[0] for one in patterns
            )

        for text in (f"{first} {last}", f"{first}\n{last}", f"so {first}\r\n> {last}", f"{first} {last}".upper()):
            assert finds(text), text
            assert finds(json.dumps({"a": [text]}, ensure_ascii=False)), text
        assert not finds("libraries of bold letters are looked for by nobody")


@pytest.mark.parametrize(
    "text",
    [
        *("see...zoe@bücher.example", "-zoe@bücher.example", "_zoe@bücher.example_", "zoe@BÜCHER.example."),
        *("ZOE@XN--BCHER-KVA.example", "zoe%40xn--bcher-kva.example", "mailto:zoe@bücher.example"),
        *('ZOË O"NEIL', 'Zoe\u0308 O"Neil', 'On Monday Zoë\n> O"Neil wrote', 'O"Neil,\xa0Zoë', '_Zoë O"Neil_'),
        *("06 12 98 76 54", "+33 6 12-98.76.54", "+33612987654", "0612987654"),
        *("https://fr.linkedin.com/in/zoë-x/", "www.linkedin.com/in/zo%C3%AB-x?trk=1", "linkedin.com/in/ZOË-x"),
    ],
)
def test_a_mark_goes_in_every_spelling(text: str) -> None:
    left = ZOE.out_of(text)
    assert ERASED in left
    assert not any(part in left.casefold() for part in ("zo", "neil", "98", "cher"))


@pytest.mark.parametrize(
    "text",
    [
        *("azoe@bücher.example", "x.zoe@bücher.example", "x_zoe@bücher.example", "zoe@bücher.example.org"),
        *('Zoë O"Neil-Smith', "90612987654", "06129876543", "linkedin.com/in/zoë-xy", "Zoë", "zoe@example.com"),
    ],
)
def test_what_is_anothers_stays(text: str) -> None:
    assert ZOE.out_of(text) == text


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [("小明", "王", "昨日王小明さんと話した"), ("민수", "김", "김민수님께"), ("太郎", "山田", "山田 太郎様")],
)
def test_a_name_without_spaces_goes_inside_of_a_sentence(first: str, last: str, text: str) -> None:
    assert ERASED in marks_of(ContactFields(first_name=first, last_name=last)).out_of(text)


def test_nobody_without_marks_is_in_any_text() -> None:
    assert PersonMarks().out_of("Zoë") == "Zoë"
