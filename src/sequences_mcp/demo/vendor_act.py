"""The demo's second act: the same tools with Kalent, Topo and Clarky, served by the sandbox on loopback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sequences_mcp.demo.stage import SENDER, Narrator, Say, client_of, next_monday, vendors

if TYPE_CHECKING:
    from sequences_sandbox.faults import Faults
    from sequences_sandbox.world import World

DRAFT = "Hi {{firstname}},\n\nI read about [specific project or stack]. Shall we talk?"
TEXT = "Hi {{firstname}},\n\nI am hiring, and your work as {{candidateJobTitle}} is close to it. Shall we talk?"
ZOE = {"email": "zoe@hooli.example", "first_name": "Zoe", "note": "Met at the spring fair; asked about prices."}


async def play_vendors(say: Say, folder: str) -> None:
    """Run the act; ``say`` prints one line, all files are in ``folder``."""
    from sequences_sandbox.serve import settings

    say("\n── The same tools with accounts at Kalent, Topo and Clarky: here a sandbox on this machine ──")
    async with vendors() as (world, faults, port):
        mine = {"SEQUENCES_DATA_DIR": folder, "SEQUENCES_SENDER": SENDER, **settings(port)}
        async with client_of(say, mine) as client:
            await _Act(Narrator(client, say), world, faults).play()


class _Act:
    """The conversation of a person, a model and the server, printed as it happens."""

    def __init__(self, narrator: Narrator, world: World, faults: Faults) -> None:
        self._world = world
        self._faults = faults
        self._say, self._call, self._you, self._claude = narrator.say, narrator.call, narrator.you, narrator.claude

    async def play(self) -> None:
        blueprint, people = await self._draft()
        await self._start(blueprint, people[:1])
        await self._lose_an_answer(blueprint, people[1:2])
        await self._move_a_run()
        await self._let_clarky_write()
        self._count()

    async def _draft(self) -> tuple[str, list[dict[str, Any]]]:
        self._you("Who is in my first sourcing at Kalent? Draft them an e-mail there.")
        sourcing = (await self._call("list_sourcings"))["items"][0]
        people = (await self._call("find_contacts", provider=sourcing["id"]))["items"]
        for person in people:
            self._say(f"    {_name(person)}, {person['job_title']}")
        refused = await self._call("create_blueprint", name="Hello", steps=[_mail(DRAFT)], provider=sourcing["id"])
        self._say(f"    {refused['findings'][0]['rule']}: Kalent was not even asked.")
        made = await self._call("create_blueprint", name="Hello", steps=[_mail(TEXT)], provider=sourcing["id"])
        return str(made["blueprint_id"]), list(people)

    async def _start(self, blueprint: str, people: list[dict[str, Any]]) -> None:
        self._you(f"Start it for {_name(people[0])}.")
        await self._call("start_sequence", blueprint_id=blueprint, contacts=_ids(people))

    async def _lose_an_answer(self, blueprint: str, people: list[dict[str, Any]]) -> None:
        self._you(f"And for {_name(people[0])}. (This time Kalent's answer is lost on its way.)")
        from sequences_sandbox.faults import Fault, FaultRule

        lost = FaultRule(fault=Fault.STATUS, vendor="kalent", path="*/start", status=504, act=True)
        self._faults.rules.append(lost)
        await self._call("start_sequence", blueprint_id=blueprint, contacts=_ids(people))
        broken = (await self._call("list_providers"))["broken"]
        operation = next(line for line in broken if "start_sequence" in line).split()[-1].rstrip(".")
        self._claude("Nobody knows whether it arrived, so it is not sent again. I look at Kalent.")
        await self._call("check_operation", operation_id=operation)

    async def _move_a_run(self) -> None:
        self._you("Pause the first active run at Topo until Monday. No, we won them: stop it.")
        run = (await self._call("list_sequences", provider="topo", status="ACTIVE"))["items"][0]["id"]
        await self._call("pause_sequence", sequence_id=run, paused_until=next_monday())
        await self._call("stop_sequence", sequence_id=run, reason="WIN")

    async def _let_clarky_write(self) -> None:
        from sequences_sandbox.seeds import CLARKY_TEMPLATES

        self._you("Let Clarky write to Zoe, whom I met at the fair.")
        template = f"clarky:{CLARKY_TEMPLATES[0]}"
        started = await self._call("start_sequence", blueprint_id=template, contacts=[ZOE])
        run = await self._call("get_sequence", sequence_id=started["sample"]["sequence_id"])
        self._say(
            f"    {run['name']}: {run['provider_status']} at Clarky; its texts wait for approval there as well."
        )

    def _count(self) -> None:
        self._say("\nWhat the vendors were asked to do, each once:")
        for received in self._world.received:
            if received.method != "GET":
                whom = ", ".join((received.body or {}).get("candidateIds", ()))
                self._say(f"    {received.vendor:<7} {received.method:<5} {received.path}  {whom}".rstrip())


def _mail(content: str) -> dict[str, Any]:
    return {
        "id": "hello",
        "name": "Hello",
        "type": "EMAIL",
        "subject": "A role that may suit you",
        "content": content,
        "temporalityType": "ASAP",
    }


def _ids(people: list[dict[str, Any]]) -> list[str]:
    return [person["id"] for person in people]


def _name(person: dict[str, Any]) -> str:
    return f"{person['first_name']} {person['last_name']}"
