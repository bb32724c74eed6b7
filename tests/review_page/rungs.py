"""The ways to a yes, each as a person uses it: look at a plan, and send what was made of that look."""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from mcp.types import ElicitResult
from tests.secrecy.client import Client
from tests.world.page import MAIL, PASSPHRASE, Bridge, PageWorld, Visitor, apart, crowd, lock_up, marks_of, proven

from sequences_mcp.context import AppContext
from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.plan import Plan
from sequences_mcp.errors import SequencesError
from sequences_mcp.review import decide
from sequences_mcp.review.lock import passphrase
from sequences_mcp.server.app import build_server
from sequences_mcp.services.blueprints import create_blueprint

Meanwhile = Callable[[Plan], object]


def nothing(plan: Plan) -> None:
    """Let nothing happen between the look and the yes."""


class Rung:
    """One way: ``look`` returns what a person would send, ``send`` sends it and says whether it counted."""

    def __init__(self, world: PageWorld) -> None:
        self.world = world
        self.sent: Any = None

    def look(self, plan: Plan) -> Any:
        """Read a plan."""
        raise NotImplementedError

    def send(self, plan: Plan, seen: Any) -> bool:
        """Say yes to a plan with what was made of a look."""
        raise NotImplementedError

    def yes(self, meanwhile: Meanwhile = nothing) -> tuple[Plan, bool]:
        """Look at a new plan for one person, let something happen, and say yes."""
        plan = self.world.plan(people=1)
        self.sent = self.look(plan)
        meanwhile(plan)
        return plan, self.send(plan, self.sent)

    def again(self, plan: Plan) -> bool:
        """Send once more what was sent last."""
        return self.send(plan, self.sent)

    def with_that_of(self, other: Plan, plan: Plan) -> bool:
        """Say yes to one plan with what was made of a look at another."""
        self.look(plan)
        return self.send(plan, self.look(other))

    def twice(self) -> list[bool]:
        """Send the same yes twice at once."""
        plan = self.world.plan(people=1)
        seen = self.look(plan)
        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(lambda _: self.send(plan, seen), range(2)))


class Page(Rung):
    """The review page, unlocked with the passphrase."""

    def __init__(self, world: PageWorld, person: Visitor) -> None:
        super().__init__(world)
        self.person = person
        person.unlock()

    def look(self, plan: Plan) -> dict[str, str]:
        """Open one person of the plan and return the form."""
        self.person.get(self.person.get(f"/plans/{plan.id}/sample").headers["location"])
        return {"digest": self.person.get(f"/plans/{plan.id}").field("digest")}

    def send(self, plan: Plan, seen: dict[str, str]) -> bool:
        """Press the button."""
        return self.person.post(f"/plans/{plan.id}/approve", **seen).status == 303


class SignedPage(Page):
    """The review page with a passkey, here one made of software."""

    def __init__(self, world: PageWorld, person: Visitor) -> None:
        super().__init__(world, person)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.register()

    def register(self) -> None:
        """Store the key, as the registration with a code of the terminal does."""
        import cbor2

        point = self._key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}
        key = {"id": _base64(b"key"), "public_key": cbor2.dumps(cose).hex(), "registered_at": ""}
        self.world.workspace.passkeys.write_text(json.dumps([key]))

    def look(self, plan: Plan) -> dict[str, str]:
        """Read, then make the gesture."""
        form = super().look(plan)
        return {**form, "signature": self.signed(form["digest"])}

    def signed(self, digest: str, *, origin: str | None = None, **facts: Any) -> str:
        """Return what an authenticator signs for a digest (WebAuthn, 6.3.3), by default on the page itself."""
        client = {
            "type": "webauthn.get",
            "challenge": _base64(bytes.fromhex(digest)),
            "origin": origin or self.person.origin,
            "crossOrigin": False,
            **facts,
        }
        signed_facts = json.dumps(client).encode()
        data = hashlib.sha256(b"localhost").digest() + b"\x05" + bytes(4)
        signature = self._key.sign(data + hashlib.sha256(signed_facts).digest(), ec.ECDSA(SHA256()))
        response: dict[str, bytes] = {
            "clientDataJSON": signed_facts,
            "authenticatorData": data,
            "signature": signature,
        }
        credential = {"id": _base64(b"key"), "rawId": _base64(b"key"), "type": "public-key"}
        return json.dumps({**credential, "response": {name: _base64(part) for name, part in response.items()}})


class Terminal(Rung):
    """The terminal, with the passphrase."""

    def look(self, plan: Plan) -> decide.Look:
        """Read the plan's lines."""
        seen: decide.Look = self.world.at_desk(lambda app: decide.look_up(app, plan.id))
        return seen

    def send(self, plan: Plan, seen: decide.Look) -> bool:
        """Type the passphrase."""
        passphrase.check_passphrase(self.world.safe, PASSPHRASE)
        try:
            self.world.at_desk(
                lambda app: decide.approve_in_terminal(
                    app, plan.id, seen=seen, people=None, actor=Actor("terminal")
                )
            )
        except SequencesError:
            return False
        return True


class Panel(Rung):
    """The panel inside a chat, with a proof of the passphrase."""

    def __init__(self, world: PageWorld, bridge: Bridge) -> None:
        super().__init__(world)
        self.bridge = bridge

    def look(self, plan: Plan) -> dict[str, Any]:
        """Read the plan in the panel and type the passphrase."""
        shown = self._call("show_plan", plan_id=plan.id)["structuredContent"]
        reads = {"person": shown["person"]["id"], "seen": marks_of(shown)}
        shown = self._call("show_plan", plan_id=plan.id, **reads)["structuredContent"]
        return {"digest": shown["digest"], "proof": proven(shown)}

    def send(self, plan: Plan, seen: dict[str, Any]) -> bool:
        """Press Enter."""
        answer = self._call("decide_plan", plan_id=plan.id, decision="approve", **seen)
        return not answer.get("isError")

    def _call(self, name: str, **arguments: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.bridge.ask("tools/call", {"name": name, "arguments": arguments})
        return answer


@dataclass
class Dialog(Rung):
    """The chat's own dialog. Its answer names no plan: it belongs to the call that asked."""

    world: PageWorld
    era: str = "auto"
    sent: Any = field(default_factory=dict)

    def yes(self, meanwhile: Meanwhile = nothing) -> tuple[Plan, bool]:
        """Start a sequence for one person; something happens while the dialog is open; tick and accept."""
        blueprint: str = self.world.at_desk(_blueprint)
        self.sent = {"blueprint_id": blueprint, "contacts": crowd(1)}
        approval = self.start(meanwhile)
        plans = self.world.at_desk(lambda app: app.plans.get_plan(approval["plan_id"]))
        return plans, approval["approval"] == "given"

    def again(self, plan: Plan) -> bool:
        """Call again, with another tick."""
        self.start()
        return False

    def twice(self) -> list[bool]:
        """Call twice at once, both ticked."""
        blueprint: str = self.world.at_desk(_blueprint)
        self.sent = {"blueprint_id": blueprint, "contacts": crowd(1)}
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda _: self.start(), range(2)))
        return [True, False]

    def start(self, meanwhile: Meanwhile = nothing) -> dict[str, Any]:
        """Call the tool; return what it said, whatever that is."""

        asked: list[object] = []

        async def dialog(context: object, params: object) -> ElicitResult:
            asked.append(params)
            if len(asked) > 1:  # about another plan than the one that was answered
                return ElicitResult(action="cancel")
            if meanwhile is not nothing:
                meanwhile(await _waiting(self.world))
            return ElicitResult(action="accept", content={"approve": True})

        async def run() -> dict[str, Any]:
            async with Client(build_server(self.world.app), mode=self.era, elicitation_callback=dialog) as client:
                result = await client.call_tool("start_sequence", self.sent)
            facts: dict[str, Any] = json.loads(result.content[0].text)
            plan = await _newest(self.world)
            return {"plan_id": plan, "approval": "", **facts}

        return apart(run)


async def _waiting(world: PageWorld) -> Plan:
    async with world.app() as app:
        return (await app.plans.list_plans(page=1, size=100)).items[-1]


async def _newest(world: PageWorld) -> str:
    async with world.app() as app:
        entries = (await app.records.list_audit(page=1, size=100)).items
        return next(one.subject for one in entries if one.action == "plan.opened")


async def _blueprint(app: AppContext) -> str:
    made = await create_blueprint(app, name="Engineers", steps=[MAIL], job_title="Engineer")
    return made.blueprint.id


def _base64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


@contextmanager
def rung(name: str, world: PageWorld) -> Iterator[Rung]:
    """Open one way to a yes."""
    lock_up(world)
    if name.startswith("dialog"):
        world.more["SEQUENCES_ELICITATION"] = "on"
        yield Dialog(world, era="auto" if name == "dialog" else "legacy")
    elif name == "terminal":
        yield Terminal(world)
    elif name == "panel":
        with Bridge(world) as bridge:
            yield Panel(world, bridge)
    else:
        with world.page() as person:
            yield SignedPage(world, person) if name == "passkey" else Page(world, person)
