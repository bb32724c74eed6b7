"""A person who is erased leaves nothing behind that tells of them, and everybody else goes on as before."""

from __future__ import annotations

import base64
import json
import quopri
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.world.product import GRACE, MAIL, Bureau

from sequences_mcp.context import AppContext
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
    return held


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
            await app.plans.approve_plan(view["plan_id"], digest=view["digest"], actor="terminal")
    return view["plan_id"], ids


async def contact_of(app: AppContext, email: str) -> str:
    """Return the id of whoever has this address."""
    return (await app.local.find_contacts(email, page=1, size=1)).items[0].id


async def test_nothing_of_somebody_who_was_erased_is_left_in_any_file(bureau: Bureau, tmp_path: Path) -> None:
    await started(bureau, KARA, GRACE)
    bureau.work()
    assert traces_of(bureau.folder, MARK), "the marks have to be there before"
    async with bureau.app("terminal") as app:
        tally = await app.erasures.erase(await contact_of(app, KARA["email"]), actor="terminal")
    assert (tally.people, tally.runs, tally.stopped, tally.is_swept) == (1, 1, 1, True)
    back_up(bureau.folder, tmp_path / "backup.zip", now=bureau.clock(), settings={})
    assert traces_of(tmp_path, MARK, PHONE) == []


async def test_the_audit_verifies_after_somebody_was_erased_and_a_change_to_it_is_still_seen(
    bureau: Bureau,
) -> None:
    await started(bureau, KARA, GRACE)
    bureau.work()
    async with bureau.app("terminal") as app:
        await app.erasures.erase(await contact_of(app, KARA["email"]), actor="terminal")
    async with bureau.app("terminal") as app:
        assert app.records.engine.store.audit.verify() is None
        emptied = app.records.engine.store.audit.redactions()
    assert emptied
    number = next(iter(emptied))
    with closing(sqlite3.connect(bureau.folder / "sequences.db")) as database, database:
        with pytest.raises(sqlite3.IntegrityError, match="never changed"):
            database.execute("UPDATE audit SET detail = '{}' WHERE no = ?", (number,))
        database.execute("DROP TRIGGER audit_is_never_changed")
        database.execute("UPDATE audit SET detail = '{\"erased\":false}' WHERE no = ?", (number,))
    async with bureau.app("terminal") as app:
        assert app.records.engine.store.audit.verify() == number


async def test_the_others_of_a_plan_go_on_as_they_were_approved(bureau: Bureau) -> None:
    plan_id, _ = await started(bureau, KARA, GRACE)
    async with bureau.app("terminal") as app:
        before = await app.plans.get_plan(plan_id)
        await app.erasures.erase(await contact_of(app, KARA["email"]), actor="terminal")
        after = await app.plans.get_plan(plan_id)
    assert (before.digest, after.status) == (after.digest, before.status)
    bureau.work()
    bureau.forward(days=4)
    bureau.work()
    assert [mail["To"] for mail in bureau.outbox] == [GRACE["email"]] * 2


async def test_a_plan_that_waits_is_approved_for_those_who_are_left(bureau: Bureau) -> None:
    plan_id, _ = await started(bureau, KARA, GRACE, approve=False)
    async with bureau.app("terminal") as app:
        await app.erasures.erase(await contact_of(app, KARA["email"]), actor="terminal")
        plan = await app.plans.get_plan(plan_id)
        assert plan.people == 1
        await app.plans.approve_plan(plan_id, digest=plan.digest, actor="terminal")
    bureau.work()
    assert [mail["To"] for mail in bureau.outbox] == [GRACE["email"]]


async def test_somebody_who_was_erased_is_left_out_of_starts_and_refused_elsewhere(bureau: Bureau) -> None:
    await started(bureau, KARA, GRACE)
    async with bureau.app("terminal") as app:
        await app.erasures.erase(await contact_of(app, KARA["email"]), actor="terminal")
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
