"""Blueprints as files of their own: JSON and Markdown, written and read back to the same steps.

The format has a number (``SCHEMA``), which changes when what is there changes its meaning; a field that this
program does not know is told of. ``docs/blueprints.md`` describes both forms. Nothing is judged here that the
guards judge: a file that was read is steps in the format of create_blueprint, unchecked, and findings about
what was not taken over.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from collections.abc import Sequence as Items
from typing import Any

from sequences_mcp.domain.blueprint import (
    Blueprint,
    Channel,
    OnReply,
    Step,
    Temporality,
    TextKind,
    variant_letter,
)
from sequences_mcp.domain.findings import Finding, Severity
from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.lazy_dataclasses import dataclass, field

SCHEMA = "sequences-mcp/blueprint/1"
OURS = "sequences-mcp"
LONGEST_FILE = 1_000_000
"""How many characters a file may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlueprintFile:
    """A blueprint as a file has it, before any guard has seen it.

    ``steps`` are values as create_blueprint takes them. ``origin`` names the program that the file is of, and
    ``findings`` are what was changed, left out or could not be read.
    """

    name: str
    steps: tuple[Any, ...]
    job_title: str | None = None
    location: str | None = None
    on_reply: str | None = None
    stop_company: bool | None = None
    origin: str = OURS
    findings: tuple[Finding, ...] = ()


def import_finding(
    rule: str, message: str, *, step_id: str | None = None, severity: Severity = Severity.WARNING
) -> Finding:
    """Return a finding about what a file says and a blueprint does not take over as it stands."""
    return Finding(rule=f"import.{rule}", severity=severity, message=message, step_id=step_id)


def wire_step(step: Step) -> dict[str, Any]:
    """Return a step in the format of create_blueprint, without what is at its default."""
    return step.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)


def file_of(blueprint: Blueprint) -> BlueprintFile:
    """Return a stored blueprint as its file has it."""
    replies = blueprint.replies
    return BlueprintFile(
        name=blueprint.name,
        steps=tuple(map(wire_step, blueprint.steps)),
        job_title=blueprint.sourcing.job_title,
        location=blueprint.sourcing.location,
        on_reply=None if replies.on_reply is OnReply.STOP else replies.on_reply.value,
        stop_company=replies.stop_company or None,
    )


# JSON.

_OF_FILE = ("name", "job_title", "location", "on_reply", "stop_company_on_reply", "format", "steps")
_TEXTS = ("name", "job_title", "location", "on_reply")


def json_text(file: BlueprintFile) -> str:
    """Return a blueprint as JSON."""
    facts = {
        "schema": SCHEMA,
        "name": file.name,
        "job_title": file.job_title,
        "location": file.location,
        "on_reply": file.on_reply,
        "stop_company_on_reply": file.stop_company,
        "steps": list(file.steps),
    }
    given = {name: value for name, value in facts.items() if value is not None}
    return json.dumps(given, ensure_ascii=False, indent=2) + "\n"


def is_own_json(value: object) -> bool:
    """Say whether a JSON value is a blueprint of this program: by its schema, or by the form of its steps."""
    if isinstance(value, Mapping) and str(value.get("schema", "")).startswith(f"{OURS}/"):
        return True
    steps = value.get("steps") if isinstance(value, Mapping) else value
    if not isinstance(steps, list) or not steps or not isinstance(steps[0], Mapping):
        return False
    return "temporalityType" in steps[0] or "temporality_type" in steps[0]


def from_json(value: object, *, name: str = "") -> BlueprintFile:
    """Return the blueprint in a JSON value that ``is_own_json``; ``name`` is for one that has none of its own.

    Raises InvalidArgumentsError for a later format and for a file without a list of steps.
    """
    facts: Mapping[str, Any] = value if isinstance(value, Mapping) else {"steps": value}
    schema = facts.get("schema", SCHEMA)
    if schema != SCHEMA:
        raise _later(schema)
    if not isinstance(facts.get("steps"), list):
        raise InvalidArgumentsError("The file has no list of steps.", next_step="It is the key `steps`.")
    findings = [
        import_finding("unknown_field", f"{str(key)[:80]!r} is no field of a blueprint and was not taken over.")
        for key in facts
        if key not in ("schema", *_OF_FILE)
    ]
    texts = {key: _text_of(facts.get(key), key, findings) for key in _TEXTS}
    stop_company = facts.get("stop_company_on_reply")
    if stop_company is not None and not isinstance(stop_company, bool):
        findings.append(_wrong("stop_company_on_reply", "true or false"))
        stop_company = None
    return BlueprintFile(
        name=(texts["name"] or name).strip(),
        steps=with_format(facts["steps"], facts.get("format")),
        job_title=texts["job_title"],
        location=texts["location"],
        on_reply=_answer_rule(texts["on_reply"], findings),
        stop_company=stop_company,
        findings=tuple(findings),
    )


def _later(schema: object) -> InvalidArgumentsError:
    return InvalidArgumentsError(
        f"The file has the format {str(schema)[:80]!r}; this program reads {SCHEMA}.",
        next_step="Update the program, or export the blueprint again with this one.",
    )


def _text_of(value: object, key: str, findings: list[Finding]) -> str | None:
    if value is None or isinstance(value, str):
        return value
    findings.append(_wrong(key, "a text"))
    return None


def _wrong(key: str, form: str) -> Finding:
    return import_finding("wrong_field", f"{key} is not {form}, and was not taken over.")


def _answer_rule(word: str | None, findings: list[Finding]) -> str | None:
    if word is None or word in set(OnReply):
        return word
    findings.append(_wrong("on_reply", " or ".join(OnReply)))
    return None


def with_format(steps: Any, text_format: object) -> Any:
    """Return steps in which each EMAIL step that says no format has this one; None leaves them as they are.

    Steps that are not in the right form are left to the guards.
    """
    if text_format is None or not isinstance(steps, list | tuple):
        return tuple(steps) if isinstance(steps, list) else steps
    return tuple(
        {**step, "format": text_format}
        if isinstance(step, Mapping) and step.get("type") == Channel.EMAIL and step.get("format") is None
        else step
        for step in steps
    )


# Markdown.

_MARK = f"<!-- {SCHEMA} -->"
_CHANNELS = {
    ("EMAIL", None): "E-mail",
    ("LINKEDIN", "LINKEDIN_INVITATION"): "LinkedIn invitation",
    ("LINKEDIN", "LINKEDIN_INVITATION_WITH_MESSAGE"): "LinkedIn invitation with message",
    ("LINKEDIN", "LINKEDIN_MESSAGE"): "LinkedIn message",
    ("LINKEDIN", "LINKEDIN_INMAIL"): "LinkedIn InMail",
    ("WHATSAPP", None): "WhatsApp",
    ("SMS", None): "SMS",
}
_AT_ONCE, _AFTER_INVITATION = "at once", "once the invitation is accepted or has timed out"
_PLAIN = frozenset({"id", "name", "content", "temporalityType", "delay", "policy", "config", "contentSource"})
_WRITTEN = _PLAIN | {"type", "linkedInType", "subject", "format", "variants"}
_YES = ("yes", "true")


def markdown_text(file: BlueprintFile) -> str:
    """Return a blueprint as Markdown: a list of facts and the text of each step in a fenced block."""
    lines = [_MARK, "", f"# {_inline(file.name)}", ""]
    of_file = {
        "Job title": file.job_title,
        "Location": file.location,
        "When somebody answers": file.on_reply,
        "Hold others at their company too": "yes" if file.stop_company else None,
    }
    lines += [f"- {label}: {_inline(value)}" for label, value in of_file.items() if value is not None]
    for number, step in enumerate(file.steps, start=1):
        lines += ["", *_step_lines(step, number)]
    return "\n".join(lines).rstrip("\n") + "\n"


def _step_lines(step: Mapping[str, Any], number: int) -> Iterator[str]:
    """Yield one step: what is said most in plain words, all else as JSON, so that nothing is lost."""
    yield f"## {number}. {_inline(step['name'])}"
    yield ""
    channel = _CHANNELS.get((step["type"], step.get("linkedInType")))
    facts: dict[str, Any] = {"Id": step["id"], "Channel": channel or step["type"]}
    if channel is None:
        facts["LinkedIn type"] = step.get("linkedInType")
    facts |= _timing(step) | {"Subject": step.get("subject"), "Format": step.get("format")}
    facts |= _rare(step)
    yield from (f"- {label}: {_inline(value)}" for label, value in facts.items() if value is not None)
    other = {name: value for name, value in step.items() if name not in _WRITTEN}
    if other:
        yield f"- Other: {json.dumps(other)}"
    variants = step.get("variants") or ()
    if (content := step.get("content")) is not None and (content or not variants):
        yield ""
        yield from _fenced(content, step.get("format"))
    for place, variant in enumerate(variants):
        yield from _variant_lines(variant, place, step.get("format"))


def _variant_lines(variant: Mapping[str, Any], place: int, text_format: str | None) -> Iterator[str]:
    name = variant.get("name")
    yield ""
    yield f"### Variant {variant_letter(place)}{'' if name is None else f': {_inline(name)}'}"
    if (subject := variant.get("subject")) is not None:
        yield ""
        yield f"- Subject: {_inline(subject)}"
    if (content := variant.get("content")) is not None:
        yield ""
        yield from _fenced(content, text_format)


def _timing(step: Mapping[str, Any]) -> dict[str, str | None]:
    kind, delay = step["temporalityType"], step.get("delay")
    if kind == Temporality.DELAYED and delay is not None:
        unit = delay["unit"] if delay["value"] == 1 else f"{delay['unit']}s"
        return {"When": f"{delay['value']} {unit} after the step before"}
    words = {Temporality.ASAP: _AT_ONCE, Temporality.AFTER_INVITATION_SETTLED: _AFTER_INVITATION}
    when = words.get(kind, kind) if delay is None else kind
    return {"When": when, "Delay": None if delay is None else json.dumps(delay)}


def _rare(step: Mapping[str, Any]) -> dict[str, str | None]:
    policy, config = step.get("policy") or {}, step.get("config")
    days = policy.get("inviteTimeoutDays")
    return {
        "Text": "written for each person" if step.get("contentSource") else None,
        "Sender": (config or {}).get("userId"),
        "New conversation": "yes" if (config or {}).get("newThread") else None,
        "Config": "{}" if config == {} else None,
        "Without an address": "skip this step" if policy.get("skipStepIfNoContact") else None,
        "Texts may be approved unread": "yes" if policy.get("autoValidateAIDraft") else None,
        "The invitation times out after": None if days is None else f"{days} {'day' if days == 1 else 'days'}",
    }


def _inline(text: str) -> str:
    """Return a text that reads as itself on one line, as JSON where it would not."""
    is_plain = text and text.isprintable() and text == text.strip() and text[0] != '"'
    return text if is_plain else json.dumps(text)


_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


def _fenced(content: str, text_format: str | None) -> list[str]:
    """Return a text in a fenced block that is longer than any in it; as JSON where an editor could change it."""
    info = text_format or "text"
    if _UNSAFE.search(content):
        content, info = json.dumps(content), "json"
    fence = "`" * (max((len(run) for run in re.findall(r"`{3,}", content)), default=2) + 1)
    return [f"{fence}{info}", *(content.split("\n") if content else ()), fence]


def is_own_markdown(text: str) -> bool:
    """Say whether a text is a blueprint in Markdown: it begins with the mark of the format, or with a heading."""
    start = text.lstrip("\ufeff \n\r\t")
    return start.startswith((f"<!-- {OURS}/", "# "))


_HEADING = re.compile(r"##\s+(?:\d+[.)]\s+)?(.*)")
_VARIANT = re.compile(r"###\s+Variant\s*(?:\w{1,2})?(?::\s*(.*))?", re.IGNORECASE)
_FACT = re.compile(r"[-*]\s+([^:\s][^:]*):\s*(.*)")
_FENCE = re.compile(r"(`{3,}|~{3,})\s*([^`\s][^`]*)?")
_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*(seconds?|minutes?|hours?|days?|weeks?)\b.*", re.IGNORECASE)


@dataclass(slots=True)
class _MarkdownReader:
    """The state of reading: the facts of the file, the steps, and what was not understood."""

    facts: dict[str, Any] = field(default_factory=dict)
    steps: list[dict[str, Any]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    in_variant: bool = False

    def wrong(self, line: int, message: str, *, severity: Severity = Severity.ERROR) -> None:
        """Note what is wrong in a line of the file."""
        step_id = self.steps[-1].get("id") if self.steps else None
        self.findings.append(import_finding("line", f"Line {line}: {message}", step_id=step_id, severity=severity))

    def fact(self, line: int, label: str, value: str) -> None:
        """Take over one fact of the file or of its present step."""
        known = _VARIANT_FACTS if self.in_variant else _STEP_FACTS if self.steps else _FILE_FACTS
        target = known.get(" ".join(label.lower().split()))
        if target is None:
            labels = ", ".join(known)
            self.wrong(line, f"{label[:80]!r} is not known here. There are: {labels}.")
            return
        try:
            changes = target(_plain(value))
        except (ValueError, RecursionError) as error:
            self.wrong(line, f"{label}: {error}")
            return
        texts = self._texts()
        where = self.facts if texts is None else texts
        for name, given in changes.items():
            both = isinstance(given, dict) and isinstance(where.get(name), dict)
            where[name] = {**where[name], **given} if both else given

    def _texts(self) -> dict[str, Any] | None:
        """Return what the next text is of: the present step, or its last variant where it has any."""
        step = self.steps[-1] if self.steps else None
        return step["variants"][-1] if step is not None and self.in_variant else step

    def text(self, line: int, info: str, body: list[str]) -> None:
        """Take over a fenced block as the text of the present step or variant."""
        target = self._texts()
        if target is None or "content" in target:
            self.wrong(line, "a step has one text, below its facts; this block is another.")
            return
        content, step = "\n".join(body), self.steps[-1]
        words = info.lower().split()
        if words[:1] == ["json"]:
            try:
                content = _text_from_json(content)
            except (ValueError, RecursionError) as error:
                self.wrong(line, f"the text: {error}")
                return
        if words[:1] in (["markdown"], ["md"]):
            step.setdefault("format", TextKind.MARKDOWN.value)
        target["content"] = content


def from_markdown(text: str, *, name: str = "") -> BlueprintFile:
    """Return the blueprint in a Markdown text; what is not understood is a finding with its line.

    Raises InvalidArgumentsError for a later format.
    """
    if (later := re.match(r"\s*<!-- (\S+) -->", text.lstrip("\ufeff"))) and later[1] != SCHEMA:
        raise _later(later[1])
    reader = _MarkdownReader()
    lines = text.lstrip("\ufeff").replace("\r\n", "\n").split("\n")
    at = 0
    while at < len(lines):
        at = _read_line(reader, lines, at)
    facts = reader.facts
    return BlueprintFile(
        name=(facts.get("name") or name).strip(),
        steps=with_format(reader.steps, facts.get("format")),
        job_title=facts.get("job_title"),
        location=facts.get("location"),
        on_reply=facts.get("on_reply"),
        stop_company=facts.get("stop_company"),
        findings=tuple(reader.findings),
    )


def _read_line(reader: _MarkdownReader, lines: Items[str], at: int) -> int:
    """Read what begins in a line; return the number of the next line to read."""
    line = lines[at].strip()
    if fence := _FENCE.fullmatch(line):
        end = next((n for n in range(at + 1, len(lines)) if lines[n].strip() == fence[1]), None)
        if end is None:
            reader.wrong(at + 1, "this block has no end: a line of the same marks.")
            return len(lines)
        reader.text(at + 1, fence[2] or "", list(lines[at + 1 : end]))
        return end + 1
    if match := _HEADING.fullmatch(line):
        reader.steps.append({"name": _quoted(reader, at, match[1])})
        reader.in_variant = False
    elif reader.steps and (match := _VARIANT.fullmatch(line)):
        named = {} if match[1] is None else {"name": _quoted(reader, at, match[1])}
        variants = reader.steps[-1].get("variants")
        reader.steps[-1]["variants"] = [*(variants if isinstance(variants, list) else ()), named]
        reader.in_variant = True
    elif line.startswith("# ") and "name" not in reader.facts and not reader.steps:
        reader.facts["name"] = _quoted(reader, at, line[2:].strip())
    elif match := _FACT.fullmatch(line):
        reader.fact(at + 1, match[1], match[2])
    elif line and not line.startswith("<!--"):
        what = "this is no fact (- Name: value), no heading and in no block, and was not taken over."
        reader.wrong(at + 1, what, severity=Severity.WARNING)
    return at + 1


def _quoted(reader: _MarkdownReader, at: int, value: str) -> str:
    try:
        return _plain(value)
    except (ValueError, RecursionError) as error:
        reader.wrong(at + 1, str(error))
        return value


def _plain(value: str) -> str:
    return _text_from_json(value) if value.startswith('"') else value


def _text_from_json(text: str) -> str:
    """Return the text in a JSON string; ValueError."""
    read = json.loads(text)
    if not isinstance(read, str):
        raise ValueError("this is not a text in quotation marks")  # what the caller tells
    _require_whole(text, read)
    return read


def _require_whole(text: str, read: Any) -> None:
    """Raise ValueError where JSON has half of a character, which is no text."""
    if "\\u" not in text:
        return
    try:
        json.dumps(read, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise ValueError("it has half of a character (\\ud800 to \\udfff); take it out") from error


def _named(name: str) -> Any:
    return lambda value: {name: value}


def _channel(value: str) -> dict[str, Any]:
    for (kind, linkedin), words in _CHANNELS.items():
        if value.lower().replace("-", "") == words.lower().replace("-", ""):
            return {"type": kind} | ({"linkedInType": linkedin} if linkedin else {})
    if value.upper() in set(Channel):
        return {"type": value.upper()}
    raise ValueError(f"it is one of {', '.join(_CHANNELS.values())}")


def _when(value: str) -> dict[str, Any]:
    if value in set(Temporality):
        return {"temporalityType": value}
    plain = value.lower()
    if plain == _AT_ONCE:
        return {"temporalityType": Temporality.ASAP.value}
    if plain == _AFTER_INVITATION:
        return {"temporalityType": Temporality.AFTER_INVITATION_SETTLED.value}
    if match := _SPAN.fullmatch(value.removeprefix("after ")):
        number = float(match[1]) if "." in match[1] else int(match[1])
        return {"temporalityType": Temporality.DELAYED.value, "delay": {"value": number, "unit": match[2]}}
    raise ValueError(f"it is `{_AT_ONCE}`, `3 days after the step before` or `{_AFTER_INVITATION}`")


def _days(value: str) -> dict[str, Any]:
    match = re.fullmatch(r"(-?\d{1,9})(?:\s*days?)?", value)
    if match is None:
        raise ValueError("it is a number of days")
    return {"policy": {"inviteTimeoutDays": int(match[1])}}


def _flag(of: str, name: str, *, words: tuple[str, ...] = _YES) -> Any:
    """Return what reads one of the words as true in a part of a step."""

    def read(value: str) -> dict[str, Any]:
        if value.lower() not in (*words, "no"):
            raise ValueError(f"it is {words[0]} or no")
        return {of: {name: value.lower() != "no"}}

    return read


def _object(value: str) -> dict[str, Any]:
    read = json.loads(value)
    if not isinstance(read, dict):
        raise ValueError("it is a JSON object")  # what the caller tells
    _require_whole(value, read)
    return read


def _text_kind(value: str) -> dict[str, Any]:
    if value.lower() not in set(TextKind):
        raise ValueError(f"it is {' or '.join(TextKind)}")
    return {"format": value.lower()}


def _written_for(value: str) -> dict[str, Any]:
    if value.lower() not in ("written for each person", "the same for all"):
        raise ValueError("it is `written for each person` or `the same for all`")
    return {"contentSource": "suggestedByKalent"} if value.lower().startswith("written") else {}


def _rule_for_answers(value: str) -> dict[str, Any]:
    if value.lower() not in set(OnReply):
        raise ValueError(f"it is {' or '.join(OnReply)}")
    return {"on_reply": value.lower()}


def _hold_company(value: str) -> dict[str, Any]:
    if value.lower() not in (*_YES, "no"):
        raise ValueError("it is yes or no")
    return {"stop_company": value.lower() in _YES}


_FILE_FACTS: Mapping[str, Any] = {
    "job title": _named("job_title"),
    "location": _named("location"),
    "format": _text_kind,
    "when somebody answers": _rule_for_answers,
    "hold others at their company too": _hold_company,
}
_VARIANT_FACTS: Mapping[str, Any] = {"subject": _named("subject")}
_STEP_FACTS: Mapping[str, Any] = {
    "id": _named("id"),
    "channel": _channel,
    "linkedin type": _named("linkedInType"),
    "when": _when,
    "delay": lambda value: {"delay": _object(value)},
    "subject": _named("subject"),
    "format": _text_kind,
    "text": _written_for,
    "sender": lambda value: {"config": {"userId": value}},
    "new conversation": _flag("config", "newThread"),
    "config": lambda value: {"config": _object(value)},
    "without an address": _flag("policy", "skipStepIfNoContact", words=("skip this step", *_YES)),
    "texts may be approved unread": _flag("policy", "autoValidateAIDraft"),
    "the invitation times out after": _days,
    "other": _object,
}
