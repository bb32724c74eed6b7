"""Makes the databases of older versions that the tests of this folder open.

``python -m tests.upgrade.older_databases FOLDER`` runs the version of the product that is installed and leaves
its data folder in FOLDER; the ones stored beside this file were made so, each by the code of its day:

- ``schema_6``: the code of 25 November 2026, before there were journals beside the database;
- ``schema_20``: the code of 26 November 2026, before plans had a ``digest_version``;
- ``schema_6_signed`` and ``schema_20_signed``: the same, where a passkey is registered and signed each approval
  (``python -m tests.upgrade.older_databases FOLDER signed``).

All of it goes through the product's own verbs, a real mail server and the sandbox of the vendors, at the addresses
below, which are part of what was approved. When it ends, at ``LEFT``, the database holds:

- Grace: under way, her second e-mail due in three days;
- Linus: the same, paused until the day after that;
- Barbara: the answer to her first e-mail was lost, so its outcome is unknown;
- Dennis: an open task, an invitation to be sent by hand, with a message and an e-mail after it;
- Edith and Hedy: their second e-mail was written for them alone; Hedy's was rewritten under way and approved by
  itself;
- Zoë: in a plan that nobody has decided about;
- Ines: in a plan at Kalent that is approved and not handed over yet;
- a suppressed address, a suppressed domain, and the audit of it all.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sqlite3
import sys
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from collections.abc import Sequence as Items
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import gettempdir
from threading import Thread
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey as PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from tests.world import product
from tests.world.data_folder import NOON, Clock
from tests.world.mail_servers import DROP, Inbox, ScriptedController
from tests.world.product import GRACE, LINUS, MAIL, SENDER
from tests.world.vendors import START, planted_world, token_of

from sequences_mcp.context import AppContext
from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.ids import LOCAL
from sequences_mcp.domain.plan import Plan
from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.ports.embedded import SequenceDetail, SequenceFilter
from sequences_mcp.review.lock import passkeys
from sequences_mcp.services.blueprints import create_blueprint
from sequences_mcp.services.reviews import edit_draft
from sequences_mcp.services.sequences import pause_sequence
from sequences_mcp.services.starts import start_sequence
from sequences_mcp.services.suppression import suppress_contact
from sequences_sandbox.faults import Faults
from sequences_sandbox.serve import PATHS, build, listening, loopback_server

MAIL_PORT = 25251
VENDOR_PORT = 25252
BELONGS = ("sequences.db", "sent.log", "suppressions.log", "passkeys.json", "review.json")
PAGE = "localhost:25253"
SMTP_URL = f"smtp://127.0.0.1:{MAIL_PORT}"
KALENT = f"http://127.0.0.1:{VENDOR_PORT}{PATHS['kalent']}"
LEFT = NOON + timedelta(hours=3)
PAUSED_UNTIL = NOON + timedelta(days=4)

AGAIN = {
    "id": "again",
    "name": "Again",
    "type": "EMAIL",
    "subject": "Once more about the {{sourcingJobTitle}} role",
    "content": "Hi {{firstname}}, may I ask once more whether a short call would suit you?",
    "temporalityType": "DELAYED",
    "delay": {"value": 3, "unit": "day"},
}
WRITTEN = {**AGAIN, "id": "own", "contentSource": "suggestedByKalent", "content": "", "subject": "For you"}
INVITATION = {
    "id": "invitation",
    "name": "Invitation",
    "type": "LINKEDIN",
    "linkedInType": "LINKEDIN_INVITATION_WITH_MESSAGE",
    "content": "Hi {{firstname}}, shall we connect?",
    "temporalityType": "ASAP",
    "policy": {"inviteTimeoutDays": 7},
}
MESSAGE = {
    "id": "message",
    "name": "Message",
    "type": "LINKEDIN",
    "linkedInType": "LINKEDIN_MESSAGE",
    "content": "Hi {{firstname}}, thank you for connecting.",
    "temporalityType": "AFTER_INVITATION_SETTLED",
    "policy": {"skipStepIfNoContact": True},
}
LATER = {**AGAIN, "id": "later", "name": "Later", "delay": {"value": 2, "unit": "day"}}
BARBARA = {**GRACE, "email": "barbara@liskov.example", "first_name": "Barbara", "last_name": "Liskov"}
DENNIS = {
    **GRACE,
    "email": "dennis@ritchie.example",
    "first_name": "Dennis",
    "last_name": "Ritchie",
    "linkedin_url": "https://www.linkedin.com/in/dennis",
    "country": "US",
}
EDITH = {**GRACE, "email": "edith@clarke.example", "first_name": "Edith", "last_name": "Clarke"}
HEDY = {**GRACE, "email": "hedy@lamarr.example", "first_name": "Hedy", "last_name": "Lamarr"}
ZOE = {**GRACE, "email": "zoe@angstrom.example", "first_name": "Zoë", "last_name": "Ångström"}


@dataclass
class Office(product.World):
    """The product in one process, at a time that its maker sets."""

    key: PrivateKey | None = None

    @property
    def environ(self) -> dict[str, str]:
        """The settings under which everything was approved."""
        return environ_of(self.folder)


def environ_of(folder: Path) -> dict[str, str]:
    """Return the settings under which everything in the older databases was approved."""
    return {
        "SEQUENCES_DATA_DIR": str(folder),
        "SEQUENCES_SENDER": SENDER,
        "SEQUENCES_SPACING": "0",
        "SEQUENCES_DAILY_CAP": "100",
        "SEQUENCES_WINDOW": "Mon-Sun 00:00-24:00",
        "SEQUENCES_SMTP_URL": SMTP_URL,
        "KALENT_API_KEY": token_of("kalent"),
        "KALENT_BASE_URL": KALENT,
    }


@contextmanager
def mail_server(script: dict[str, str]) -> Iterator[Inbox]:
    """Run the mail server that the plans name, for one test of this machine at a time: they share its port."""
    import fcntl

    inbox = Inbox(script)
    controller = ScriptedController(
        inbox, hostname="127.0.0.1", port=MAIL_PORT, server_hostname="mx.example.org", enable_SMTPUTF8=True
    )
    with (Path(gettempdir()) / f"sequences-mcp-{os.getuid()}-{MAIL_PORT}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        controller.start()
        try:
            yield inbox
        finally:
            controller.stop()


@contextmanager
def vendor() -> Iterator[None]:
    """Run the sandbox that the plan at Kalent names."""
    sandbox = loopback_server(build(planted_world(Clock(START)), Faults()))
    listener = listening(VENDOR_PORT)
    thread = Thread(target=lambda: asyncio.run(sandbox.serve(sockets=[listener])))
    thread.start()
    try:
        yield
    finally:
        sandbox.should_exit = True
        thread.join(timeout=10)


def make(folder: Path, *, signed: bool) -> None:
    """Make the database of the version that is installed, and leave nothing but what belongs to it."""
    office = Office(folder, Clock(NOON), key=ec.generate_private_key(ec.SECP256R1()) if signed else None)
    if office.key is not None:
        asyncio.run(_open(office))  # a key without a database would be the trace of one that is gone
        _register(folder, office.key)
    with mail_server({}) as inbox, vendor():
        asyncio.run(_begin(office))
        office.work()
        inbox.script["dot"] = DROP
        asyncio.run(_begin_with(office, [BARBARA], MAIL, AGAIN))
        office.work()
        inbox.script.clear()
        asyncio.run(_go_on(office))
        office.work()
    with closing(sqlite3.connect(folder / "sequences.db")) as database, suppress(sqlite3.OperationalError):
        # As where the system tells neither machine nor file: what is stored here is opened as a copy elsewhere.
        database.execute("UPDATE lineage SET machine = NULL, file = NULL")
        database.commit()
    with closing(sqlite3.connect(folder / "sequences.db")) as database:
        database.execute("PRAGMA journal_mode = DELETE")
        database.execute("PRAGMA page_size = 1024")  # few rows in many tables: a quarter of the size
        database.execute("VACUUM")
    for path in folder.iterdir():
        if path.name not in BELONGS and path.suffix != ".mark":
            path.unlink() if path.is_file() else None


async def _open(office: Office) -> None:
    async with office.app():
        pass


async def _begin(office: Office) -> None:
    async with office.app() as app:
        await suppress_contact(app, contact="never@again.example", reason="asked us to stop")
        await suppress_contact(app, contact="rival.example", reason="a competitor")
        blueprint = await _blueprint(app, MAIL, AGAIN)
        await _approved(app, await _planned(app, blueprint, GRACE, LINUS), key=office.key)
        blueprint = await _blueprint(app, INVITATION, MESSAGE, LATER)
        await _approved(app, await _planned(app, blueprint, DENNIS), key=office.key)
        blueprint = await _blueprint(app, MAIL, WRITTEN)
        plan = await _planned(app, blueprint, EDITH, HEDY)
        for run in (one.sequence for one in await _runs(app)):
            if run.plan_id == plan.id:
                text = "Hi {{firstname}}, I read about your work and would like to hear more."
                await edit_draft(app, draft_id=f"{LOCAL}:draft_{run.steps[1].key}", content=text)
        await _approved(app, await app.plans.get_plan(plan.id), key=office.key)


async def _begin_with(office: Office, people: list[dict[str, str]], *steps: dict[str, Any]) -> None:
    async with office.app() as app:
        await _approved(app, await _planned(app, await _blueprint(app, *steps), *people), key=office.key)


async def _go_on(office: Office) -> None:
    office.clock.now += timedelta(hours=1)
    async with office.app() as app:
        runs = {str(one.contact.first_name): one.sequence for one in await _runs(app) if one.contact}
        await pause_sequence(app, sequence_id=runs["Linus"].id, paused_until=PAUSED_UNTIL)
        draft_id = f"{LOCAL}:draft_{runs['Hedy'].steps[1].key}"
        await edit_draft(app, draft_id=draft_id, content="Hi {{firstname}}, this is about frequency hopping.")
        draft = await app.local.get_draft(draft_id)
        signature = _signed(office.key, draft.digest)
        await app.local.approve_draft(draft_id, digest=draft.digest, actor=Actor("terminal"), signature=signature)
        office.clock.now += timedelta(hours=1)
        await _planned(app, await _blueprint(app, MAIL, AGAIN), ZOE)
        made = await create_blueprint(
            app, name="Role", steps=[{**AGAIN, "subject": "A role"}], provider="kalent:sourcing_1"
        )
        report = await start_sequence(
            app, blueprint_id=made.blueprint.id, contacts=["kalent:candidate_ines"], progress=_silent
        )
        await _approved(app, report.plan, key=office.key)


async def _blueprint(app: AppContext, *steps: dict[str, Any]) -> str:
    made = await create_blueprint(app, name="Engineers", steps=list(steps), job_title="Engineer")
    return str(made.blueprint.id)


async def _planned(app: AppContext, blueprint_id: str, *people: dict[str, str]) -> Plan:
    report = await start_sequence(app, blueprint_id=blueprint_id, contacts=list(people), progress=_silent)
    return report.plan


async def _approved(app: AppContext, plan: Plan, *, key: PrivateKey | None) -> None:
    signature = _signed(key, plan.digest)
    await app.plans.approve_plan(plan.id, digest=plan.digest, actor=Actor("terminal"), signature=signature)


def _register(folder: Path, key: PrivateKey) -> None:
    """Store a passkey of software and the address of the page, as each version does."""
    point = key.public_key().public_numbers()
    cose = {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}
    facts = {"id": _base64(b"key"), "public_key": cbor2.dumps(cose).hex(), "registered_at": NOON.isoformat()}
    origins = {"origins": [f"http://{PAGE}"]} if hasattr(passkeys, "kept") else {}
    Workspace(folder).passkeys.write_text(json.dumps([{**facts, **origins}]), encoding="utf-8")
    Workspace(folder).page_port.write_text(json.dumps({"port": int(PAGE.partition(":")[2])}), encoding="utf-8")


def _signed(key: PrivateKey | None, digest: str) -> str | None:
    """Return what an authenticator signs for a digest (WebAuthn, 6.3.3), as each version keeps it."""
    if key is None:
        return None
    challenge, origin = _base64(bytes.fromhex(digest)), f"http://{PAGE}"
    client = {"type": "webauthn.get", "challenge": challenge, "origin": origin, "crossOrigin": False}
    facts = json.dumps(client).encode()
    data = hashlib.sha256(b"localhost").digest() + b"\x05" + bytes(4)
    signature = key.sign(data + hashlib.sha256(facts).digest(), ec.ECDSA(SHA256()))
    parts = {"clientDataJSON": facts, "authenticatorData": data, "signature": signature}
    response = {name: _base64(part) for name, part in parts.items()}
    said = json.dumps(
        {"id": _base64(b"key"), "rawId": _base64(b"key"), "type": "public-key", "response": response}
    )
    keep = getattr(passkeys, "kept", None)
    return said if keep is None else str(keep(said, authority=PAGE))


def _base64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


async def _runs(app: AppContext) -> Items[SequenceDetail]:
    return (await app.local.list_sequences(SequenceFilter(size=100))).items


async def _silent(done: int, total: int) -> None:
    """Report to nobody."""


if __name__ == "__main__":
    make(Path(sys.argv[1]), signed="signed" in sys.argv)
