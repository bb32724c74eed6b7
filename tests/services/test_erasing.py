"""A person who is erased leaves nothing behind that tells of them, and everybody else goes on as before."""

from __future__ import annotations

import base64
import json
import quopri
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from mcp.types import ElicitResult
from tests.inbound.test_inbound_reading import wait_until
from tests.secrecy.client import Client
from tests.world.product import GRACE, MAIL, Bureau, Desktop, yes
from tests.world.stores import ON_POSTGRES, REFUSED, kept_state, open_store, served_rows, shell

from sequences_mcp.bootstrap import keep_house, working
from sequences_mcp.context import AppContext
from sequences_mcp.domain.actors import Actor
from sequences_mcp.engine.erasure import Decided, erased
from sequences_mcp.engine.inbound.effects import incoming, take_in_message
from sequences_mcp.errors import ConflictError
from sequences_mcp.store.sqlite.backup import back_up

MARK = "zqxkara"
KARA: dict[str, Any] = {
    "email": f"{MARK}@{MARK}-works.example",
    "first_name": f"Kara{MARK}",
    "last_name": f"Voss{MARK}",
    "company": f"{MARK} Works",
    "company_domain": f"{MARK}-works.example",
    "job_title": f"{MARK} Engineer",
    "location": f"{MARK}ville",
    "phone": "+33612987654",
    "linkedin_url": f"https://www.linkedin.com/in/{MARK}",
    "note": f"met at the {MARK} fair",
    "source": f"the {MARK} list of speakers",
    "found_at": "2026-10-02",
    "consent": f"{MARK} said yes on the phone",
}
PHONE = "612987654"


def forms(mark: str) -> Iterator[bytes]:
    """Yield a mark in every form in which bytes may hold it."""
    for text in (mark, mark.capitalize(), mark.upper()):
        yield text.encode()
        yield text.encode("utf-16-le")
        yield text.encode("utf-16-be")
        yield quopri.encodestring(text.encode())
        for shift in range(3):  # base64 looks otherwise by where in three bytes a text begins
            encoded = base64.b64encode(b"x" * shift + text.encode())
            yield encoded[4 if shift else 0 : len(encoded) // 4 * 4 - 4]


def traces_of(folder: Path, *marks: str) -> list[str]:
    """Return the files of a folder, archives looked into, that hold one of these marks in any form."""
    held = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            contents = [path.read_bytes()]
            if zipfile.is_zipfile(path):
                with zipfile.ZipFile(path) as archive:
                    contents += [archive.read(name) for name in archive.namelist()]
            held += [
                f"{path.relative_to(folder)}: {mark}"
                for mark in marks
                if any(form in content for form in forms(mark) for content in contents)
            ]
    rows = [(table, row) for table, row in served_rows(folder) for mark in marks if mark.lower() in row.lower()]
    return [*held, *(f"{table}: {row}" for table, row in rows)]


async def started(bureau: Bureau, *people: dict[str, Any], approve: bool = True) -> tuple[str, list[str]]:
    """Start people, approved by a person; return the plan and the people's ids."""
    async with bureau.client() as model:
        saved = await model.call("save_contacts", contacts=list(people))
        ids = [person["contact_id"] for person in saved["contacts"]]
        blueprint = await model.blueprint(
            MAIL, {**MAIL, "id": "s2", "temporalityType": "DELAYED", "delay": {"value": 3, "unit": "DAY"}}
        )
        view = await model.call("start_sequence", blueprint_id=blueprint, contacts=[{"id": item} for item in ids])
    if approve:
        async with bureau.app("terminal") as app:
            await app.plans.approve_plan(view["plan_id"], digest=view["digest"], actor=Actor("terminal"))
    return view["plan_id"], ids


async def contact_of(app: AppContext, email: str) -> str:
    """Return the id of whoever has this address."""
    return (await app.local.find_contacts(email, page=1, size=1)).items[0].id


async def test_nothing_of_somebody_who_was_erased_is_left_in_any_file(bureau: Bureau, tmp_path: Path) -> None:
    await started(bureau, KARA, GRACE)
    bureau.work()
    assert traces_of(bureau.folder, MARK), "the marks have to be there before"
    async with bureau.app("terminal") as app:
        tally = await app.erasures.erase(await contact_of(app, KARA["email"]), actor=Actor("terminal"))
    assert (tally.people, tally.runs, tally.stopped, tally.is_swept) == (1, 1, 1, True)
    if not ON_POSTGRES:  # a server has backups of its own
        back_up(bureau.folder, tmp_path / "backup.zip", now=bureau.clock(), settings={})
    assert traces_of(tmp_path, MARK, PHONE) == []
    assert traces_of(bureau.folder, MARK, PHONE) == []


async def test_the_audit_verifies_after_somebody_was_erased_and_a_change_to_it_is_still_seen(
    bureau: Bureau,
) -> None:
    await started(bureau, KARA, GRACE)
    bureau.work()
    async with bureau.app("terminal") as app:
        await app.erasures.erase(await contact_of(app, KARA["email"]), actor=Actor("terminal"))
    async with bureau.app("terminal") as app:
        assert app.records.engine.store.audit.verify() is None
        emptied = app.records.engine.store.audit.redactions()
    assert emptied
    number = next(iter(emptied))
    with shell(bureau.folder) as database:
        with pytest.raises(REFUSED, match="never changed"):
            database.execute("UPDATE audit SET detail = '{}' WHERE no = ?", (number,))
        database.execute("DROP TRIGGER audit_is_never_changed")
        database.execute("UPDATE audit SET detail = '{\"erased\":false}' WHERE no = ?", (number,))
    async with bureau.app("terminal") as app:
        assert app.records.engine.store.audit.verify() == number


async def test_the_others_of_a_plan_go_on_as_they_were_approved(bureau: Bureau) -> None:
    plan_id, _ = await started(bureau, KARA, GRACE)
    async with bureau.app("terminal") as app:
        before = await app.plans.get_plan(plan_id)
        await app.erasures.erase(await contact_of(app, KARA["email"]), actor=Actor("terminal"))
        after = await app.plans.get_plan(plan_id)
    assert (before.digest, after.status) == (after.digest, before.status)
    bureau.work()
    bureau.forward(days=4)
    bureau.work()
    assert [mail["To"] for mail in bureau.outbox] == [GRACE["email"]] * 2


async def test_a_plan_that_waits_is_approved_for_those_who_are_left(bureau: Bureau) -> None:
    plan_id, _ = await started(bureau, KARA, GRACE, approve=False)
    async with bureau.app("terminal") as app:
        await app.erasures.erase(await contact_of(app, KARA["email"]), actor=Actor("terminal"))
        plan = await app.plans.get_plan(plan_id)
        assert plan.people == 1
        await app.plans.approve_plan(plan_id, digest=plan.digest, actor=Actor("terminal"))
    bureau.work()
    assert [mail["To"] for mail in bureau.outbox] == [GRACE["email"]]


async def test_somebody_who_was_erased_is_left_out_of_starts_and_refused_elsewhere(bureau: Bureau) -> None:
    await started(bureau, KARA, GRACE)
    async with bureau.app("terminal") as app:
        await app.erasures.erase(await contact_of(app, KARA["email"]), actor=Actor("terminal"))
    async with bureau.client() as model:
        blueprint = await model.blueprint()
        linus = {**GRACE, "email": "linus@hopper.example"}
        view = await model.call("start_sequence", blueprint_id=blueprint, contacts=[KARA, linus])
        assert view["left_out_count"] == 1
        assert "erased" in json.dumps(view["left_out_why"])
        refused = await model.refused("save_contacts", contacts=[KARA])
        assert "erased" in refused["message"]
        shouted = {**GRACE, "email": KARA["email"].upper()}
        assert "erased" in (await model.refused("save_contacts", contacts=[shouted]))["message"]
        other = {**GRACE, "email": "kara@elsewhere.example", "linkedin_url": KARA["linkedin_url"] + "/"}
        assert "erased" in (await model.refused("save_contacts", contacts=[other]))["message"]
        assert not (await model.call("find_contacts", query=MARK))["items"]


async def test_a_person_approves_an_erasure_in_the_dialog_and_nothing_else_erases(bureau: Bureau) -> None:
    _, [kara, _] = await started(bureau, KARA, GRACE)
    questions: list[str] = []

    def read_and_approve(question: str) -> Any:
        questions.append(question)
        return yes(question)

    async with bureau.client() as model:
        waits = await model.refused("erase_contact", contact=KARA["email"])
        assert waits["code"] == "waiting_for_approval"
        [listed] = (await model.call("list_reviews"))["changes"]["items"]
        assert listed["what"] == "Erase a person"
        assert (await model.call("find_contacts", query=KARA["email"]))["total_count"] == 1
    async with bureau.client(answer=read_and_approve) as model:
        done = await model.call("erase_contact", contact=KARA["email"])
        assert (done["outcome"], done["sequences"], done["stopped"]) == ("done", 1, 1)
        again = await model.refused("erase_contact", contact=KARA["email"])
    assert KARA["email"] in questions[0]
    assert "cannot be undone" in questions[0]
    assert again["next"] == "Nothing of them is left here."
    assert "erased" in again["message"]
    assert traces_of(bureau.folder, MARK, PHONE) == []
    assert kara.startswith("local:ct_")


async def test_what_a_person_ticks_names_the_erasure_and_taking_it_back_says_that_nothing_was_erased(
    bureau: Bureau,
) -> None:
    await started(bureau, KARA)
    boxes: list[Any] = []

    async def dialog(context: object, params: Any) -> ElicitResult:
        boxes.append(params.requested_schema["properties"]["approve"])
        return ElicitResult(action="cancel")

    async with Client(bureau.server, elicitation_callback=dialog) as client:
        model = Desktop(client)
        waits = await model.refused("erase_contact", contact=KARA["email"])
        back = await model.call("withdraw_plan", plan_id=waits["change_id"])
    assert [box["title"] for box in boxes] == ["Erase them"]
    assert "erase" in boxes[0]["description"]
    assert back["next"] == "Nothing was erased."


async def test_an_e_mail_that_only_reached_the_outbox_does_not_count_as_sent_after_an_erasure(
    bureau: Bureau,
) -> None:
    await started(bureau, KARA, GRACE)
    bureau.work()
    async with bureau.client(answer=yes) as model:
        [before] = (await model.call("report"))["items"]
        await model.call("erase_contact", contact=KARA["email"])
        [after] = (await model.call("report"))["items"]
    assert (before["sent"], before["in_outbox"]) == (0, 2)
    assert (after["sent"], after["in_outbox"]) == (0, 2)


async def test_a_start_of_somebody_erased_names_no_id_of_theirs_and_counts_them_as_nobody_known(
    bureau: Bureau,
) -> None:
    await started(bureau, KARA)
    async with bureau.client(answer=yes) as model:
        await model.call("erase_contact", contact=KARA["email"])
        refused = await model.refused("start_sequence", blueprint_id=await model.blueprint(MAIL), contacts=[KARA])
    assert (refused["saved"], refused["known_before"]) == (0, 0)
    assert "contact_id" not in refused["left_out"][0]


async def test_an_erasure_that_a_person_declines_erases_nothing(bureau: Bureau) -> None:
    await started(bureau, KARA)
    async with bureau.client(answer=lambda _: ElicitResult(action="decline")) as model:
        refused = await model.refused("erase_contact", contact=KARA["email"])
        assert "Nothing was erased" in refused["message"]
        assert (await model.call("find_contacts", query=KARA["email"]))["total_count"] == 1


async def test_an_answer_that_comes_after_an_erasure_is_not_kept(bureau: Bureau) -> None:
    await started(bureau, KARA, GRACE)
    bureau.work()
    [theirs] = [mail for mail in bureau.outbox if mail["To"] == KARA["email"]]
    async with bureau.app("terminal") as app:
        await app.erasures.erase(await contact_of(app, KARA["email"]), actor=Actor("terminal"))
    for headers in (f"In-Reply-To: {theirs['Message-ID']}\r\n", ""):
        head = f"From: {KARA['email']}\r\nSubject: Re: {MARK}\r\n{headers}"
        reply = f"{head}Message-ID: <{len(headers)}@a>\r\n\r\n{MARK}!"
        with open_store(bureau.folder, now=bureau.clock()) as store, store.transaction() as work:
            item = incoming(reply.encode(), arrived_at=bureau.clock())
            assert take_in_message(work, item, address="ada@example.com", now=bureau.clock()) is None
    assert traces_of(bureau.folder, MARK) == []


async def test_nobody_is_erased_while_an_e_mail_to_them_is_on_its_way(bureau: Bureau) -> None:
    await started(bureau, KARA)
    until = int(bureau.clock().timestamp() * 1e6) + 60_000_000
    with shell(bureau.folder) as database:
        database.execute(
            "UPDATE step_run SET state = 'claimed', lease = 1, lease_expires_at = ? WHERE step = 0", (until,)
        )
    async with bureau.app("terminal") as app:
        with pytest.raises(ConflictError, match="on its way"):
            await app.erasures.erase(await contact_of(app, KARA["email"]), actor=Actor("terminal"))
        assert await contact_of(app, KARA["email"])


async def test_what_is_kept_of_a_person_is_given_as_a_file_which_goes_with_them(bureau: Bureau) -> None:
    await started(bureau, KARA, GRACE)
    bureau.work()
    async with bureau.client() as model:
        exported = await model.call("export_contact", contact=KARA["email"])
    file = Path(exported["file"])
    kept = json.loads(file.read_text("utf-8"))
    assert file.parent == bureau.folder / "exports"
    assert file.stat().st_mode & 0o077 == 0
    assert kept["contact"][0]["email"] == KARA["email"]
    assert exported["counts"]["texts"] == len(kept["texts"]) == 2
    assert GRACE["email"] not in file.read_text("utf-8")
    assert MARK not in json.dumps({**exported, "file": ""})
    async with bureau.app("terminal") as app:
        await app.erasures.erase(await contact_of(app, KARA["email"]), actor=Actor("terminal"))
    assert not file.exists()


async def test_after_the_days_that_the_setting_says_people_are_erased_by_themselves(bureau: Bureau) -> None:
    keeping = bureau.having(ERASE_AFTER_DAYS="30")
    await started(keeping, KARA)
    keeping.work()
    keeping.forward(days=4)
    keeping.work()  # the last step
    at_work(keeping, days=29)
    assert traces_of(keeping.folder, MARK)
    at_work(keeping, days=2)
    assert traces_of(keeping.folder, MARK, PHONE) == []
    async with keeping.client() as model:  # nobody asked to be left alone, so they may be stored again
        await model.call("save_contacts", contacts=[KARA])


def at_work(bureau: Bureau, *, days: int) -> None:
    """Let a worker look every day for so many days."""
    for _ in range(days):
        bureau.forward(days=1)
        bureau.work()


@pytest.mark.parametrize("ahead", [timedelta(days=365), timedelta(days=4000)])
async def test_a_clock_that_leaps_ahead_erases_nobody_by_time(
    bureau: Bureau, ahead: timedelta, caplog: pytest.LogCaptureFixture
) -> None:
    keeping = bureau.having(ERASE_AFTER_DAYS="30")
    await started(keeping, KARA)
    keeping.work()
    keeping.forward(days=4)
    keeping.work()  # the last step
    for _ in range(2):
        right = keeping.clock()
        keeping.forward(days=ahead.days)
        for hours in (0, 1, 5, 60):
            keeping.forward(hours=hours)
            keeping.work()
            keep_house(keeping.having(SENDER="").settings, clock=keeping.clock)
        assert "no earlier look bears out" in caplog.text
        keeping.clock.now = right + timedelta(hours=66)
        at_work(keeping, days=3)
        assert traces_of(keeping.folder, MARK), "the clock is right again, and they are not due"
    at_work(keeping, days=23)
    assert traces_of(keeping.folder, MARK, PHONE) == []


async def test_after_a_time_without_a_worker_people_are_erased_by_time_once_the_clock_has_gone_on(
    bureau: Bureau,
) -> None:
    keeping = bureau.having(ERASE_AFTER_DAYS="30")
    await started(keeping, KARA)
    keeping.work()
    keeping.forward(days=4)
    keeping.work()
    keeping.forward(days=40)  # nobody works
    keeping.work()
    assert traces_of(keeping.folder, MARK)
    keeping.forward(days=7)  # a worker that is started once a week
    keeping.work()
    assert traces_of(keeping.folder, MARK, PHONE) == []


async def test_nothing_is_erased_by_itself_without_that_setting_nor_before_a_sequence_is_over(
    bureau: Bureau,
) -> None:
    await started(bureau, KARA, approve=False)
    bureau.forward(days=4000)
    bureau.work()
    assert traces_of(bureau.folder, MARK)


async def test_whoever_asked_to_be_left_alone_stays_left_out_after_time_has_erased_them(bureau: Bureau) -> None:
    keeping = bureau.having(ERASE_AFTER_DAYS="30")
    await started(keeping, KARA)
    async with keeping.client() as model:
        await model.call("suppress_contact", contact=KARA["email"], reason="asked on the phone")
    for days in (40, 3):
        keeping.forward(days=days)
        keeping.work()
    assert traces_of(keeping.folder, MARK, PHONE) == []
    async with keeping.client() as model:
        assert "erased" in (await model.refused("save_contacts", contacts=[KARA]))["message"]


async def test_notes_and_texts_about_others_lose_the_name_and_what_is_still_to_be_sent_is_told(
    bureau: Bureau,
) -> None:
    name = f"{KARA['first_name']} {KARA['last_name']}"
    await started(bureau, KARA, {**GRACE, "note": f"knows {name}, {KARA['email']}"})
    async with bureau.client() as model:
        blueprint = await model.blueprint({**MAIL, "contentSource": "suggestedByKalent"})
        linus = {**GRACE, "email": "linus@hopper.example", "linkedin_url": None}
        text = {MAIL["id"]: {"content": f"Hi, {name} told me of you."}}
        given = {key: value for key, value in linus.items() if value}
        await model.call("start_sequence", blueprint_id=blueprint, contacts=[{**given, "texts": text}])
    async with bureau.app("terminal") as app:
        tally = await app.erasures.erase(await contact_of(app, KARA["email"]), actor=Actor("terminal"))
        grace = await contact_of(app, GRACE["email"])
        [contact] = await app.local.get_contacts([grace])
    assert "knows (erased), (erased)" in contact.notes
    assert len(tally.mentions) == 1


async def test_a_wish_to_be_left_alone_after_an_erasure_writes_nothing_of_the_person_down_again(
    bureau: Bureau,
) -> None:
    _, ids = await started(bureau, KARA, GRACE)
    async with bureau.app("terminal") as app:
        await app.erasures.erase(ids[0], actor=Actor("terminal"))
    async with bureau.client() as model:
        for contact in (KARA["email"], KARA["email"].upper(), ids[0]):
            told = await model.call("suppress_contact", contact=contact, reason="asked again")
            assert (told["already"], told["value"]) == (True, "(erased)")
        assert "erased" in (await model.refused("save_contacts", contacts=[KARA]))["message"]
    assert traces_of(bureau.folder, MARK, PHONE) == []


async def test_a_hash_of_an_address_cannot_be_tried_without_the_databases_own_key(bureau: Bureau) -> None:
    await started(bureau, KARA)
    async with bureau.app("terminal") as app:
        await app.erasures.erase(await contact_of(app, KARA["email"]), actor=Actor("terminal"))
    hashes = [row[0] for row in bureau.rows("SELECT hash FROM erased_key")]
    journal = (bureau.folder / "suppressions.log").read_text("utf-8")
    assert hashes
    assert all(value in journal for value in hashes)
    guesses = [sha256(text.encode()).hexdigest() for text in (KARA["email"], f"erased\naddress\n{KARA['email']}")]
    assert not set(guesses) & set(hashes)


async def test_a_person_can_let_somebody_be_stored_again(bureau: Bureau) -> None:
    await started(bureau, KARA)
    async with bureau.app("terminal") as app:
        await app.erasures.erase(await contact_of(app, KARA["email"]), actor=Actor("terminal"))
        await app.suppressions.lift("address", KARA["email"], reason="they wrote to us", actor=Actor("terminal"))
    async with bureau.client() as model:
        saved = await model.call("save_contacts", contacts=[{"email": KARA["email"]}])
    assert len(saved["contacts"]) == 1


GERMANY = '[law]\nsender = "Ada Ltd, 1 Street, Paris"\nbasis = "legitimate interest"\ncountries = ["DE"]\n'


async def test_a_plan_whose_warnings_repeat_what_somebody_consented_to_goes_on_without_them(
    bureau: Bureau,
) -> None:
    bureau.folder.mkdir(parents=True)
    (bureau.folder / "settings.toml").write_text(GERMANY)
    german = {"country": "DE", "found_at": "2026-10-02"}
    plan_id, _ = await started(
        bureau, {**KARA, **german}, {**GRACE, **german, "consent": "a form of ours", "source": "her site"}
    )
    [(covered,)] = bureau.rows("SELECT covered FROM plan WHERE id = ?", plan_id)
    assert MARK in covered, "the approval has to cover a record of hers"
    async with bureau.app("terminal") as app:
        await app.erasures.erase(await contact_of(app, KARA["email"]), actor=Actor("terminal"))
        assert (await app.plans.get_plan(plan_id)).status.value == "approved"
    assert traces_of(bureau.folder, MARK, PHONE) == []
    bureau.work()
    assert [mail["To"] for mail in bureau.outbox] == [GRACE["email"]]


async def test_a_program_that_ends_in_the_middle_leaves_the_person_and_erasing_again_finishes(
    bureau: Bureau,
) -> None:
    await started(bureau, KARA, GRACE)
    bureau.work()
    async with bureau.app("terminal") as app:
        kara, store = await contact_of(app, KARA["email"]), app.changes.engine.store
        by = Decided(Actor("terminal"), bureau.clock(), new_ids=())
        with pytest.raises(KeyboardInterrupt), store.transaction() as work:
            erased(work, [kara], bureau.folder, by=by)
            raise KeyboardInterrupt
    assert [mail["To"] for mail in bureau.outbox] == [GRACE["email"]]  # the files are done
    async with bureau.app("terminal") as app:
        assert await contact_of(app, KARA["email"]) == kara
        await app.erasures.erase(kara, actor=Actor("terminal"))
        assert app.changes.engine.store.audit.verify() is None
    assert traces_of(bureau.folder, MARK, PHONE) == []


async def test_what_another_program_kept_from_being_swept_is_swept_by_the_due_work(bureau: Bureau) -> None:
    await started(bureau, KARA, GRACE)
    with shell(bureau.folder) as reader:
        async with bureau.app("terminal") as app:
            kara, store = await contact_of(app, KARA["email"]), app.changes.engine.store
            with store.transaction() as work:
                erased(work, [kara], bureau.folder, by=Decided(Actor("terminal"), bureau.clock(), new_ids=()))
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM contact").fetchone()
            with store.hasty(0.1):
                assert not store.erasures.sweep()
            reader.execute("COMMIT")
            assert store.erasures.unswept()
    bureau.work()
    assert traces_of(bureau.folder, MARK, PHONE) == []


async def erased_since_a_backup(bureau: Bureau, scratch: Path) -> None:
    """Make a backup, erase Kara, and put the backup back; its own copy of before is thrown away."""
    put_older_back = kept_state(bureau.folder, scratch, now=bureau.clock())
    async with bureau.app("terminal") as app:
        await app.erasures.erase(await contact_of(app, KARA["email"]), actor=Actor("terminal"))
    put_older_back()
    assert traces_of(bureau.folder, MARK), "the marks have to be there before it is opened"


async def test_an_erased_person_is_gone_from_the_plan_that_waits_in_a_database_put_back_from_before(
    bureau: Bureau, tmp_path: Path
) -> None:
    plan_id, _ = await started(bureau, KARA, GRACE, approve=False)
    await erased_since_a_backup(bureau, tmp_path)
    async with bureau.app("terminal") as app:
        assert traces_of(bureau.folder, MARK, PHONE) == []
        plan = await app.plans.get_plan(plan_id)
        assert plan.people == 1
        await app.plans.approve_plan(plan_id, digest=plan.digest, actor=Actor("terminal"))
    bureau.work()
    assert [mail["To"] for mail in bureau.outbox] == [GRACE["email"]]


async def test_an_erased_person_is_gone_from_a_database_put_back_in_which_an_e_mail_to_them_is_on_its_way(
    bureau: Bureau, tmp_path: Path
) -> None:
    await started(bureau, KARA, GRACE)
    put_calm_back = kept_state(bureau.folder, tmp_path, now=bureau.clock())
    bureau.rows(
        "UPDATE step_run SET state = 'claimed', lease = 1, lease_expires_at = ? "
        "WHERE no = (SELECT min(no) FROM step_run WHERE recipient = ?) RETURNING no",
        int(bureau.clock().timestamp() * 1_000_000) + 60_000_000,
        KARA["email"],
    )
    assert bureau.rows("SELECT count(*) FROM step_run WHERE state = 'claimed'") == [(1,)]
    put_busy_back = kept_state(bureau.folder, tmp_path, now=bureau.clock())
    put_calm_back()
    async with bureau.app("terminal") as app:
        await app.erasures.erase(await contact_of(app, KARA["email"]), actor=Actor("terminal"))
    put_busy_back()
    async with bureau.app("terminal"):
        assert traces_of(bureau.folder, MARK, PHONE) == []
    bureau.work()
    assert [mail["To"] for mail in bureau.outbox] == [GRACE["email"]]


async def test_what_a_database_put_back_has_of_somebody_who_was_no_contact_in_it_is_erased_by_their_address(
    bureau: Bureau, tmp_path: Path
) -> None:
    async with bureau.app("terminal") as app:
        await app.suppressions.suppress("address", KARA["email"], reason=f"{MARK} asked us to")
    put_old_back = kept_state(bureau.folder, tmp_path, now=bureau.clock())
    async with bureau.client() as model:
        await model.call("save_contacts", contacts=[KARA, GRACE])
    async with bureau.app("terminal") as app:
        await app.erasures.erase(await contact_of(app, KARA["email"]), actor=Actor("terminal"))
    put_old_back()
    assert traces_of(bureau.folder, MARK)
    async with bureau.app("terminal") as app:
        assert traces_of(bureau.folder, MARK, PHONE) == []
        assert app.records.engine.store.audit.verify() is None


async def test_a_person_who_may_be_stored_again_is_not_erased_by_a_database_that_is_put_back(
    bureau: Bureau, tmp_path: Path
) -> None:
    await started(bureau, KARA)
    put_old_back = kept_state(bureau.folder, tmp_path, now=bureau.clock())
    async with bureau.app("terminal") as app:
        await app.erasures.erase(await contact_of(app, KARA["email"]), actor=Actor("terminal"))
        await app.suppressions.lift("address", KARA["email"], reason="they wrote to us", actor=Actor("terminal"))
    put_old_back()
    async with bureau.app("terminal") as app:
        assert (await app.local.find_contacts(KARA["email"], page=1, size=1)).total_count == 1


async def test_a_program_that_ends_while_it_erases_again_leaves_that_to_the_next_one(
    bureau: Bureau, tmp_path: Path
) -> None:
    await started(bureau, KARA, GRACE)
    bureau.work()
    await erased_since_a_backup(bureau, tmp_path)
    # As far as the first transaction of an opening goes: the journal is read, and nobody is erased yet.
    with open_store(bureau.folder, now=bureau.clock()) as store:
        assert store.lineage.brings_back_erased()
    assert traces_of(bureau.folder, MARK)
    async with bureau.app("terminal"):
        assert traces_of(bureau.folder, MARK, PHONE) == []


async def test_a_database_put_back_from_before_has_an_erased_person_erased_again_before_anything_else(
    bureau: Bureau, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await started(bureau, KARA, GRACE)
    bureau.work()
    await erased_since_a_backup(bureau, tmp_path)
    async with bureau.app("terminal") as app:
        store = app.records.engine.store
        assert [person.email for person in (await app.local.find_contacts("", page=1, size=9)).items] == [
            GRACE["email"]
        ]
        assert store.audit.verify() is None
        [repeated] = [entry for entry in store.audit.entries() if entry.action == "erasure.repeated"]
        assert repeated.detail == {"people": 1, "addresses": 1}
        assert traces_of(bureau.folder, MARK, PHONE) == []
    assert "1 person is erased again" in caplog.text
    async with bureau.client() as model:
        told = [line for line in (await model.call("list_providers"))["broken"] if "before an erasure" in line]
    assert len(told) == 1 and "1 person was in it again and is erased again. Since 20" in told[0]
    bureau.forward(days=4)
    bureau.work()
    assert [mail["To"] for mail in bureau.outbox] == [GRACE["email"]] * 2
    async with bureau.client() as model:
        assert "erased" in (await model.refused("save_contacts", contacts=[KARA]))["message"]
    async with bureau.app("terminal") as app:  # once is enough
        entries = [entry.action for entry in app.records.engine.store.audit.entries()]
    assert entries.count("erasure.repeated") == 1
    bureau.forward(days=4)
    async with bureau.client() as model:  # after a week it is no news
        assert "before an erasure" not in str((await model.call("list_providers"))["broken"])


async def test_a_data_folder_without_a_mailbox_erases_by_time_as_well(bureau: Bureau) -> None:
    await started(bureau, KARA)
    bureau.work()
    bureau.forward(days=4)
    bureau.work()  # the last step
    bureau.forward(days=31)
    without = bureau.having(SENDER="", ERASE_AFTER_DAYS="30")
    assert without.settings.mailbox.sender is None
    keep_house(without.settings, clock=bureau.clock)
    bureau.forward(days=3)
    with working(without.having(ERASE_AFTER_DAYS="0").settings, clock=bureau.clock):
        assert traces_of(bureau.folder, MARK), "nobody asked for it"
    with working(without.settings, clock=bureau.clock):
        wait_until(lambda: not traces_of(bureau.folder, MARK, PHONE))


async def test_a_folder_without_a_mailbox_erases_whoever_is_due_at_once_when_its_house_is_kept(
    bureau: Bureau,
) -> None:
    await started(bureau, *({**GRACE, "email": f"p{number}@navy.example"} for number in range(3)), KARA)
    bureau.work()
    bureau.forward(days=4)
    bureau.work()
    for days in (31, 3):
        bureau.forward(days=days)
        keep_house(bureau.having(SENDER="", ERASE_AFTER_DAYS="30").settings, clock=bureau.clock)
    assert bureau.rows("SELECT count(*) FROM contact WHERE erased_at IS NULL") == [(0,)]


async def test_a_list_of_sequences_says_of_whoever_was_erased_that_they_were(bureau: Bureau) -> None:
    await started(bureau, KARA, GRACE)
    bureau.work()
    async with bureau.app("terminal") as app:
        await app.erasures.erase(await contact_of(app, KARA["email"]), actor=Actor("terminal"))
    async with bureau.client() as model:
        listed = await model.call("list_sequences")
    names = sorted(item["name"] for item in listed["items"])
    assert names == ["(erased)", "Grace Hopper"]
