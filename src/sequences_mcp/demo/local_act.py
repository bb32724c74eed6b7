"""The demo's first act: the embedded engine, from a draft to e-mails sent through SMTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sequences_mcp.demo import stage

if TYPE_CHECKING:
    from sequences_sandbox.imap import KeptMailbox

ROLE = {"job_title": "Staff Backend Engineer", "location": "Lisbon"}
PEOPLE = [
    {"email": "maria@globex.example", "first_name": "Maria", "last_name": "Silva", "company": "Globex"},
    {"email": "jonas@acme.example", "first_name": "Jonas", "last_name": "Weber", "company": "Acme"},
    {"email": "aiko@acme.example", "first_name": "Aiko", "last_name": "Tanaka", "company": "Acme"},
    {"email": "lea@initech.example", "first_name": "Léa", "last_name": "Martin", "company": "Initech"},
    {"email": "tom@hooli.example", "first_name": "Tom", "last_name": "Okafor", "company": "Hooli"},
]
DRAFT = "Hi {{firstName}},\n\nYour work at [company] caught my eye. Shall we talk?\n\nAda"
FIRST = (
    "Hi {{firstname}},\n\nI am hiring a {{sourcingJobTitle}} in {{sourcingLocation}}, and what you do at "
    "{{candidateCompanyName}} is close to it. Would a short call this week suit you?\n\n{{recruiterFirstname}}"
)
SECOND = (
    "Hi {{firstname}},\n\nOne more thought: the team picks its own tools and ships daily. If it is not for you, "
    "tell me and I will not write again.\n\n{{recruiterFirstname}} {{recruiterLastname}}"
)
THIRD = "Hi {{firstname}}, I wrote to you about the {{sourcingJobTitle}} role. Would you like to hear more?"


def steps(first: str) -> list[dict[str, Any]]:
    """Return the demo's three steps; the second follows after five seconds instead of days."""
    return [
        {
            "id": "hello",
            "name": "Hello",
            "type": "EMAIL",
            "subject": "{{sourcingJobTitle}} in {{sourcingLocation}}",
            "content": first,
            "temporalityType": "ASAP",
        },
        {
            "id": "thought",
            "name": "One more thought",
            "type": "EMAIL",
            "subject": "One more thought, {{firstname}}",
            "content": SECOND,
            "temporalityType": "DELAYED",
            "delay": {"value": 5, "unit": "second"},
        },
        {
            "id": "linkedin",
            "name": "LinkedIn",
            "type": "LINKEDIN",
            "linkedInType": "LINKEDIN_MESSAGE",
            "content": THIRD,
            "temporalityType": "DELAYED",
            "delay": {"value": 3, "unit": "day"},
            "policy": {"skipStepIfNoContact": True},
        },
    ]


async def play_local(say: stage.Say, folder: str) -> None:
    """Run the act; ``say`` prints one line, all files are in ``folder``."""
    async with stage.mail_server() as (mailbox, port), stage.answers() as (answers, imap_url):
        settings = {
            "SEQUENCES_DATA_DIR": folder,
            "SEQUENCES_SENDER": stage.SENDER,
            "SEQUENCES_SMTP_URL": f"smtp://127.0.0.1:{port}",
            "SEQUENCES_IMAP_URL": imap_url,
            "SEQUENCES_WINDOW": "Mon-Sun 00:00-24:00",
            "SEQUENCES_SPACING": "0",
        }
        async with stage.client_of(say, settings) as client:
            await _Act(stage.Narrator(client, say), mailbox, answers).play()


class _Act:
    """The conversation of a person, a model and the server, printed as it happens."""

    def __init__(self, narrator: stage.Narrator, mailbox: stage.DemoInbox, answers: KeptMailbox) -> None:
        self._mailbox, self._answers = mailbox, answers
        self._say, self._call, self._you, self._claude = narrator.say, narrator.call, narrator.you, narrator.claude
        self._ended = narrator.once_ended

    async def play(self) -> None:
        blueprint = await self._draft()
        await self._preview(blueprint)
        runs = await self._start(blueprint)
        await self._live(runs)
        await self._answer(runs["Maria Silva"])
        self._mails()

    async def _draft(self) -> str:
        self._you("Draft a three-step sequence for our Staff Backend Engineer role in Lisbon.")
        refused = await self._call("create_blueprint", name="Staff Backend Engineer", steps=steps(DRAFT), **ROLE)
        for finding in refused["findings"]:
            self._say(f"    {finding['rule']}: {finding['excerpt']}" + _arrow(finding.get("fix")))
        self._claude("The guards refused two leftovers of a template; I mend them.")
        made = await self._call("create_blueprint", name="Staff Backend Engineer", steps=steps(FIRST), **ROLE)
        return str(made["blueprint_id"])

    async def _preview(self, blueprint: str) -> None:
        self._you("Show me what each of these five people would get.")
        await self._call("save_contacts", contacts=[_facts(person) for person in PEOPLE])
        shown = await self._call("preview_sequence", blueprint_id=blueprint, contacts=_ids(PEOPLE))
        for person in shown["people"]:
            self._say(f"    {person['name']}")
            for step in person["steps"]:
                what = step.get("subject") or f"{step['content'][:44]}…"
                self._say(f"      {step['at']}  {step['channel']:<16} {what}")
        self._say(stage.quoted_lines(shown["people"][0]["steps"][0]["content"]))

    async def _start(self, blueprint: str) -> dict[str, str]:
        self._you("Good. Start it.")
        started = await self._call("start_sequence", blueprint_id=blueprint, contacts=_ids(PEOPLE))
        self._say(f"    {started['outcome']}: plan {started['plan_id']}")
        await self._mailbox.wait_for(5)
        listed = await self._call("list_sequences", size=100)
        self._say(f"    {len(self._mailbox.messages)} e-mails have left through SMTP.")
        return {run["name"]: run["id"] for run in listed["items"]}

    async def _live(self, runs: dict[str, str]) -> None:
        self._you("Pause Maria until Monday.")
        paused = await self._call(
            "pause_sequence", sequence_id=runs["Maria Silva"], paused_until=stage.next_monday()
        )
        self._say(f"    {paused['status']}, until {paused['paused_until']}")
        self._you("We won Acme, stop everyone there.")
        stopped = await self._call("stop_sequence", sequence_id=runs["Jonas Weber"], reason="WIN", scope="COMPANY")
        self._say("    stopped: " + ", ".join(item["name"] for item in stopped["stopped"]))
        await self._mailbox.wait_for(7)
        self._say("    The second step has reached the two who are still on their way, and nobody else.")

    async def _answer(self, run: str) -> None:
        """Let Maria answer the first e-mail, before the pause is over and the second one leaves."""
        first = next(message for message in self._mailbox.messages if "maria@" in message["To"])
        self._say("\nMaria answers from her mail program: “Thursday at ten suits me.”")
        self._answers.deliver(stage.answer_to(first, "Thursday at ten suits me."))
        maria = await self._ended(run)
        self._you("Did anybody answer?")
        for reply in (await self._call("list_replies"))["items"]:
            self._say(f"    {reply['name']}, {reply['kind']}: “{reply['text']}” ({reply['effect']})")
        left = sum("maria@" in message["To"] for message in self._mailbox.messages)
        self._say(f"    Maria: {maria['status']}; she got {left} e-mail, and the follow-up does not leave.")

    def _mails(self) -> None:
        self._say(f"\nThe mail server received {len(self._mailbox.messages)} e-mails, each once:")
        for message in self._mailbox.messages:
            self._say(f"    {message['To']:<24} {message['Subject']}")
        first = self._mailbox.messages[0]
        self._say("\nThe first of them:\n")
        for name in ("From", "To", "Subject", "Date", "Message-ID"):
            self._say(f"    {name}: {first[name]}")
        self._say("\n" + stage.quoted_lines(first.get_content()))


def _facts(person: dict[str, str]) -> dict[str, str]:
    handle = person["email"].partition("@")[0]
    return {**person, "time_zone": "Europe/Lisbon", "linkedin_url": f"https://www.linkedin.com/in/{handle}"}


def _ids(people: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{"email": person["email"]} for person in people]


def _arrow(fix: str | None) -> str:
    return "" if fix is None else f"  →  {fix}"
