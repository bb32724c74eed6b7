"""Sequences of other outreach programs, as their APIs give them, read as blueprints of ours.

Five programs are known by the form of their JSON, which is that of these pages:

- lemlist, "Get campaign sequences" and "Update sequence step", which has the types of steps:
  https://developer.lemlist.com/api-reference/endpoints/sequences/get-campaign-sequences
- Instantly, campaigns of API v2: https://developer.instantly.ai/api/v2/campaign. That the delay of a step is the
  wait after it: https://github.com/sonichi/sutando/issues/4406
- Smartlead: https://api.smartlead.ai/api-reference/campaigns/get-sequences, with variants as update-sequences has
  them; other spellings and its steps on other channels are from public clients of the API
- Outreach, steps, their templates and templates: https://developers.outreach.io/api/reference/tag/Sequence-Step
- Apollo, emailer campaigns with their steps and touches: https://docs.apollo.io/reference/create-sequence, whose
  introduction was read; the fields of a template and of a wait are from public clients of the API

Every step becomes a step of ours, or a finding with what it said; a wait before a step that is not taken over
counts for the next one. Values of another type than documented count as absent.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Sequence as Items
from itertools import islice
from typing import Any, TypeAlias

from sequences_mcp.domain.blueprint import (
    MOST_VARIANTS,
    SECONDS_IN,
    Channel,
    LinkedInType,
    Temporality,
    TextKind,
)
from sequences_mcp.domain.findings import Finding, Severity
from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.importing.blueprint_files import BlueprintFile, import_finding
from sequences_mcp.importing.foreign_texts import FindingsCollector, beginning, from_html, our_text
from sequences_mcp.lazy_dataclasses import dataclass, field

Facts: TypeAlias = Mapping[str, Any]
_NOTHING: Facts = {}
_LONGEST_WAIT = 366 * 86_400
MOST_SEQUENCES = 50


def known_sequences(value: object, *, name: str) -> tuple[BlueprintFile, ...]:
    """Return the blueprints in a JSON value of one of the five programs; none where it is of no form known.

    ``name`` is for those that have no name of their own, as the steps of an API alone have none.
    InvalidArgumentsError for more than ``MOST_SEQUENCES``.
    """
    for read in READERS.values():
        if files := tuple(islice(read(value, name), MOST_SEQUENCES + 1)):
            if len(files) > MOST_SEQUENCES:
                raise InvalidArgumentsError(
                    f"The file has more than {MOST_SEQUENCES} sequences.", next_step="Import fewer at a time."
                )
            return files
    return ()


# Values of any type, as those that are expected.


def _facts(value: object) -> Facts:
    return value if isinstance(value, Mapping) else _NOTHING


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(*values: object) -> str:
    """Return the first of the values that is a text with something in it."""
    return next((value for value in values if isinstance(value, str) and value.strip()), "")


def _number(value: object) -> float:
    """Return a number that a value is, or says; 0 for any other, and for what no number of days could be."""
    try:
        number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else 0.0
    except (ValueError, OverflowError):
        return 0.0
    return number if math.isfinite(number) and number > 0 else 0.0


def _ordered(steps: Iterable[object], *keys: str) -> list[Facts]:
    """Return the steps that are objects in the order of the first key that all of them have."""
    known = [step for step in steps if isinstance(step, Mapping)]
    key = next(
        (key for key in keys if known and all(isinstance(step.get(key), int | float) for step in known)), None
    )
    return sorted(known, key=lambda step: step[key]) if key else known


# Steps of theirs, whatever the program, as steps of ours.


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignStep:
    """A step of another program: what it does, in its word and in ours, its texts, and the wait before it.

    ``channel`` is None for what we have no step for. ``variants`` are the other texts of an A/B test, each a
    subject and a text. ``lost`` says what else of it has no counterpart.
    """

    word: str
    channel: tuple[Channel, LinkedInType | None] | None
    name: str = ""
    subject: str = ""
    body: str = ""
    wait: float = 0.0
    new_thread: bool | None = None
    variants: tuple[tuple[str, str], ...] = ()
    lost: tuple[str, ...] = ()


EMAIL = (Channel.EMAIL, None)
INVITATION = (Channel.LINKEDIN, LinkedInType.INVITATION)
MESSAGE = (Channel.LINKEDIN, LinkedInType.MESSAGE)
INMAIL = (Channel.LINKEDIN, LinkedInType.INMAIL)
_NAMES = {EMAIL: "E-mail", INVITATION: "Invitation", MESSAGE: "LinkedIn message", INMAIL: "InMail"}
_MOST_STEPS = 200
_MOST_TEXTS = 30  # of one step, those left out among them


@dataclass(slots=True)
class _Builder:
    """Makes the steps of one blueprint; ``waited`` are the seconds before steps that were not taken over."""

    steps: list[dict[str, Any]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    waited: float = 0.0
    subject: str = ""

    def add(self, step: ForeignStep, number: int) -> None:
        """Take over one step, or tell of it where we have none for it."""
        self.waited += step.wait
        if step.channel is None:
            self._not_taken(step, number)
            return
        step_id = f"step-{len(self.steps) + 1}"
        reading = FindingsCollector(step_id)
        channel, linkedin = step.channel
        texts = ((step.subject, step.body), *step.variants)[:MOST_VARIANTS]
        is_plain = channel is not Channel.EMAIL or len(texts) > 1  # one format is that of all variants
        content = from_html(step.body, reading, may_be_markdown=not is_plain)
        if linkedin is LinkedInType.INVITATION and content.content.strip():
            linkedin = LinkedInType.INVITATION_WITH_MESSAGE
        kind = _NAMES.get(step.channel, channel.value.title())
        made: dict[str, Any] = {"id": step_id, "name": step.name or f"{kind} {len(self.steps) + 1}"}
        made |= {"type": channel.value} | ({"linkedInType": linkedin.value} if linkedin else {})
        made |= {"content": content.content} | ({"format": TextKind.MARKDOWN.value} if content.is_markdown else {})
        made |= self._timing()
        if channel is Channel.EMAIL or linkedin is LinkedInType.INMAIL:
            made |= self._heading(step, our_text(step.subject, reading).replace("\n", " "), linkedin)
        for words in step.lost:
            reading.note("left_out", words)
        if len(texts) > 1:
            made |= {"content": ""} | self._variants(texts, reading, takes_subject="subject" in made)
        for subject, body in step.variants[MOST_VARIANTS - 1 : _MOST_TEXTS]:
            other = from_html(body, FindingsCollector(step_id), may_be_markdown=False).content
            about = f"subject {beginning(subject)!r}, " if subject else ""
            reading.note(
                "variants", f"Another version of this step was left out: {about}text {beginning(other)!r}."
            )
        if more := len(step.variants[_MOST_TEXTS:]):
            reading.note("variants", f"{more:,} more versions of this step were left out.")
        self.steps.append(made)
        self.findings += reading.findings

    def _variants(
        self, texts: Items[tuple[str, str]], reading: FindingsCollector, *, takes_subject: bool
    ) -> dict[str, Any]:
        """Return the texts of an A/B test as variants, each with its own subject where the step has one."""
        variants = []
        for subject, body in texts:
            variant = {"content": from_html(body, reading, may_be_markdown=False).content}
            if takes_subject and subject.strip():
                variant["subject"] = our_text(subject, reading).replace("\n", " ")
            variants.append(variant)
        message = f"Its {len(variants)} versions became variants, one for each person."
        reading.note("variants", message, severity=Severity.NOTE)
        return {"variants": variants}

    def _not_taken(self, step: ForeignStep, number: int) -> None:
        unused = FindingsCollector("")
        words = from_html(_text(step.body, step.subject), unused, may_be_markdown=False).content
        text = f" It says: {beginning(words)!r}." if words.strip() else ""
        where = f"Step {number}{f' ({beginning(step.name)})' if step.name else ''}"
        message = (
            f"{where} is {beginning(step.word)!r} there, for which there is no step here: it was left out.{text}"
        )
        self.findings.append(import_finding("step", message))
        self.findings += [import_finding("left_out", words) for words in step.lost]

    def _timing(self) -> dict[str, Any]:
        seconds, self.waited = round(self.waited), 0.0
        if seconds > _LONGEST_WAIT:
            step_id = f"step-{len(self.steps) + 1}"
            message = f"A wait of {seconds // 86_400:,} days became one of a year."
            self.findings.append(import_finding("delay", message, step_id=step_id))
            seconds = _LONGEST_WAIT
        if not seconds:
            return {"temporalityType": Temporality.ASAP.value}
        unit = next(unit for unit in ("day", "minute", "second") if seconds % SECONDS_IN[unit] == 0)
        delay = {"value": seconds // SECONDS_IN[unit], "unit": unit}
        return {"temporalityType": Temporality.DELAYED.value, "delay": delay}

    def _heading(self, step: ForeignStep, subject: str, linkedin: LinkedInType | None) -> dict[str, Any]:
        """Return the subject: none for an e-mail that answers the one before it, whose subject is then theirs."""
        if linkedin is not None:
            return {"subject": subject}
        is_first = not any(made["type"] == Channel.EMAIL for made in self.steps)
        earlier, again = self.subject, subject.removeprefix("Re:").removeprefix("RE:").strip()
        answers = step.new_thread is False or not subject.strip() or again == earlier
        if is_first:
            self.subject = subject
            return {"subject": subject}
        if answers:
            if subject.strip() and again != earlier:
                message = (
                    f"The subject {beginning(subject)!r} was left out: this e-mail answers the one before it."
                )
                step_id = f"step-{len(self.steps) + 1}"
                self.findings.append(import_finding("left_out", message, step_id=step_id))
            return {}
        self.subject = subject
        return {"subject": subject, "config": {"newThread": True}}


def _blueprint(
    origin: str, name: str, steps: Iterable[ForeignStep], *, findings: Iterable[Finding] = ()
) -> BlueprintFile:
    builder = _Builder(findings=list(findings))
    for number, step in enumerate(steps, start=1):
        if number > _MOST_STEPS:
            message = f"Only the first {_MOST_STEPS} steps were read."
            builder.findings.append(import_finding("step", message, severity=Severity.ERROR))
            break
        builder.add(step, number)
    if builder.waited and builder.steps:
        builder.findings.append(
            import_finding("delay", "A wait after the last step has no counterpart.", severity=Severity.NOTE)
        )
    if not builder.steps:
        message = "Nothing of it could be taken over as a step."
        builder.findings.append(import_finding("step", message, severity=Severity.ERROR))
    return BlueprintFile(
        name=" ".join(name.split())[:200],
        steps=tuple(builder.steps),
        origin=origin,
        findings=tuple(builder.findings),
    )


def _seconds(value: object, unit: str) -> float:
    return _number(value) * SECONDS_IN.get(unit.strip().lower().removesuffix("s"), 86_400)


# lemlist: sequences by their ids, each with its steps; what follows a condition is a sequence of its own.

_LEMLIST = {
    "email": EMAIL,
    "linkedinInvite": INVITATION,
    "linkedinSend": MESSAGE,
    "linkedinMessage": MESSAGE,
    "linkedinInMail": INMAIL,
    "linkedinInmail": INMAIL,
    "whatsappMessage": (Channel.WHATSAPP, None),
    "sms": (Channel.SMS, None),
    "smsMessage": (Channel.SMS, None),
}
_LEMLIST_WORDS = {
    *_LEMLIST,
    *("manual", "phone", "api", "linkedinVisit", "linkedinVoiceNote", "whatsappVoiceNote", "conditional", "delay"),
    *("sendToAnotherCampaign", "task", "linkedinLikeLastPost", "linkedinFollow", "linkedinCommentLastPost"),
    *("linkedinEndorse", "linkedinWithdrawInvitation"),
}


def _lemlist(value: object, name: str) -> Iterator[BlueprintFile]:
    facts = _facts(value)
    campaign = _facts(facts.get("campaign"))
    sequences = _facts(facts.get("sequences")) or facts
    known = [
        item for item in (sequences.values() if "steps" not in sequences else [sequences]) if _is_lemlist(item)
    ]
    if not known:
        return
    branches = {_text(_facts(item).get("sequenceId"), _facts(item).get("_id")) for item in _branches(known)}
    main = next(
        (
            item
            for item in known
            if not _facts(item).get("parentId") and _text(item.get("_id")) not in branches - {""}
        ),
        known[0],
    )
    title = _text(facts.get("campaignName"), campaign.get("name"), main.get("name"), facts.get("name"), name)
    others = [item for item in known if item is not main]
    findings = [
        import_finding(
            "branch",
            f"A branch of a condition, with {len(_list(item.get('steps')))} steps, was left out"
            + (f"; it begins: {beginning(_first_text(item))!r}." if _first_text(item) else "."),
        )
        for item in others
    ]
    steps = (_lemlist_step(step) for step in _ordered(_list(main.get("steps")), "index", "sequenceStep", "order"))
    yield _blueprint("lemlist", title, steps, findings=findings)


def _is_lemlist(sequence: object) -> bool:
    steps = [_facts(step) for step in _list(_facts(sequence).get("steps"))]
    is_theirs = str(_facts(sequence).get("_id", "")).startswith("seq_")
    known = any(
        _text(step.get("type")) in _LEMLIST_WORDS or str(step.get("_id", "")).startswith("stp_") for step in steps
    )
    return (known and not any("variants" in step for step in steps)) or (is_theirs and not steps)


def _branches(sequences: Iterable[Facts]) -> Iterator[Facts]:
    for sequence in sequences:
        for step in _list(sequence.get("steps")):
            yield from map(_facts, _list(_facts(step).get("conditions")))


def _first_text(sequence: Facts) -> str:
    reading = FindingsCollector("")
    texts = (_text(_facts(step).get("message"), _facts(step).get("body")) for step in _list(sequence.get("steps")))
    return from_html(next(filter(None, texts), ""), reading, may_be_markdown=False).content


def _lemlist_step(step: Facts) -> ForeignStep:
    # The documented answer leaves type out of an e-mail, which then has a subject.
    word = _text(step.get("type")) or "email"
    alternative = _text(step.get("altMessage"))
    lost = [f"The text for who is no contact yet was left out: {beginning(alternative)!r}."] if alternative else []
    if word == "conditional":
        lost.append(
            f"The condition {_text(step.get('conditionKey')) or 'there'!r} was left out, with its branches."
        )
    return ForeignStep(
        word=word,
        channel=_LEMLIST.get(word),
        name=_text(step.get("title")),
        subject=_text(step.get("subject")),
        body=_text(step.get("message"), step.get("body"), step.get("text")),
        wait=_seconds(step.get("delay"), _text(step.get("delayUnit")) or "day"),
        variants=_lemlist_variants(step),
        lost=tuple(lost),
    )


def _lemlist_variants(step: Facts) -> tuple[tuple[str, str], ...]:
    others = [_facts(step.get(key)) for key in ("abTest", "variantB", "B")]
    return tuple(
        (_text(other.get("subject")), text)
        for other in others
        if (text := _text(other.get("message"), other.get("text"), other.get("body")))
    )


# Instantly: sequences[0].steps[].variants[]; a step's delay is the wait after it.


def _instantly(value: object, name: str) -> Iterator[BlueprintFile]:
    campaigns = _list(value) or _list(_facts(value).get("items")) or [value]
    for campaign in map(_facts, campaigns):
        sequences = [_facts(item) for item in _list(campaign.get("sequences"))]
        steps = [_facts(step) for item in sequences for step in _list(item.get("steps"))]
        if not any(isinstance(step.get("variants"), list) for step in steps):
            continue
        first = [_facts(step) for step in _list(sequences[0].get("steps"))]
        findings = [
            import_finding("branch", "A second sequence of the campaign was left out; one is sent there too.")
            for _ in sequences[1:]
        ]
        title = _text(campaign.get("name"), name)
        is_subsequence = bool(_text(campaign.get("parent_campaign")))
        made = _instantly_steps(first, is_subsequence=is_subsequence)
        yield _blueprint("Instantly", title, made, findings=findings)


def _instantly_steps(steps: Items[Facts], *, is_subsequence: bool) -> Iterator[ForeignStep]:
    """Yield the steps; of a campaign's own, Instantly ignores ``pre_delay``."""
    wait = 0.0
    for step in steps:
        texts = [
            (_text(variant.get("subject")), _text(variant.get("body")))
            for variant in map(_facts, _list(step.get("variants")))
            if variant.get("v_disabled") is not True
        ]
        subject, body = texts[0] if texts else ("", "")
        unit = _text(step.get("delay_unit")) or "days"
        before = _seconds(step.get("pre_delay"), _text(step.get("pre_delay_unit")) or "days")
        word = _text(step.get("type")) or "email"
        yield ForeignStep(
            word=word,
            channel=EMAIL if word == "email" else None,
            subject=subject,
            body=body,
            wait=wait + (before if is_subsequence else 0),
            variants=tuple(texts[1:]),
            lost=() if texts else ("Every version of this step is switched off there.",),
        )
        wait = _seconds(step.get("delay"), unit)


# Smartlead: a list of e-mails by seq_number; a delay is the wait before the step.


def _smartlead(value: object, name: str) -> Iterator[BlueprintFile]:
    facts = _facts(value)
    steps = _list(value) or _list(facts.get("sequences")) or _list(facts.get("data"))
    if not any("seq_number" in _facts(step) for step in steps):
        return
    campaign = _facts(facts.get("campaign"))
    title = _text(facts.get("name"), facts.get("campaign_name"), campaign.get("name"), name)
    yield _blueprint("Smartlead", title, map(_smartlead_step, _ordered(steps, "seq_number")))


_SMARTLEAD = {
    "LINKEDIN_CONNECTION_REQUEST": INVITATION,
    "LINKEDIN_MESSAGE": MESSAGE,
    "LINKEDIN_INMAIL": INMAIL,
    "SMS": (Channel.SMS, None),
    "WHATSAPP": (Channel.WHATSAPP, None),
    "EMAIL": EMAIL,
}


def _smartlead_step(step: Facts) -> ForeignStep:
    variants = [
        (_text(item.get("subject")), _text(item.get("email_body")))
        for item in map(_facts, _list(step.get("seq_variants")) or _list(step.get("sequence_variants")))
        if item.get("is_deleted") is not True
    ]
    flat = (_text(step.get("subject")), _text(step.get("email_body")))
    texts = variants if variants else [flat]
    delay = _facts(step.get("seq_delay_details"))
    days = next(
        (delay[key] for key in ("delay_in_days", "delayInDays") if key in delay), step.get("delay_in_days")
    )
    word = (_text(step.get("seq_type"), step.get("sequence_type")) or "EMAIL").upper()
    return ForeignStep(
        word=word,
        channel=_SMARTLEAD.get(word),
        subject=texts[0][0],
        body=texts[0][1],
        wait=_seconds(days, "day"),
        variants=tuple(texts[1:]),
    )


# Outreach: JSON:API; steps, the link to their templates and the templates stand in data and included.

_OUTREACH = {
    "auto_email": EMAIL,
    "manual_email": EMAIL,
    "linkedin_send_message": MESSAGE,
    "linkedin_send_connection_request": INVITATION,
    "sms": (Channel.SMS, None),
}


def _outreach(value: object, name: str) -> Iterator[BlueprintFile]:
    facts = _facts(value)
    data = facts.get("data")
    main = [_facts(item) for item in (data if isinstance(data, list) else [data])]
    everything = [*main, *map(_facts, _list(facts.get("included")))]
    by_type: dict[str, dict[str, Facts]] = {}
    for item in everything:
        by_type.setdefault(_text(item.get("type")), {})[str(item.get("id"))] = item
    steps = by_type.get("sequenceStep", {})
    if not steps and not by_type.get("sequence"):
        return
    sequences = by_type.get("sequence", {})
    of_sequence: dict[str, list[Facts]] = {key: [] for key in sequences}
    for step in steps.values():
        of_sequence.setdefault(_related(step, "sequence"), []).append(step)
    if len(sequences) == 1 and "" in of_sequence:
        of_sequence[next(iter(sequences))] += of_sequence.pop("")
    links: dict[str, list[Facts]] = {}
    for link in by_type.get("sequenceTemplate", {}).values():
        if _facts(link.get("attributes")).get("enabled") is not False:
            links.setdefault(_related(link, "sequenceStep"), []).append(link)
    templates = by_type.get("template", {})
    for key, flat in of_sequence.items():
        attributes = _facts(sequences.get(key, _NOTHING).get("attributes"))
        findings = []
        if attributes.get("sequenceType") == "date":
            findings.append(
                import_finding("delay", "Its steps have dates, which were left out: set delays instead.")
            )
        ordered = sorted(flat, key=lambda step: _number(_facts(step.get("attributes")).get("order")))
        made = (
            _outreach_step(step, links=links.get(str(step.get("id")), []), templates=templates) for step in ordered
        )
        yield _blueprint("Outreach", _text(attributes.get("name"), name), made, findings=findings)


def _related(resource: Facts, name: str) -> str:
    data = _facts(_facts(_facts(resource.get("relationships")).get(name)).get("data"))
    return str(data["id"]) if "id" in data else ""


def _outreach_step(step: Facts, *, links: Items[Facts], templates: Mapping[str, Facts]) -> ForeignStep:
    """Return a step; ``links`` are those to its templates."""
    attributes = _facts(step.get("attributes"))
    word = _text(attributes.get("stepType"))
    texts = [_facts(templates.get(_related(link, "template"), _NOTHING).get("attributes")) for link in links]
    first = texts[0] if texts else _NOTHING
    is_reply = bool(links) and _facts(links[0].get("attributes")).get("isReply") is True
    note = _text(attributes.get("taskNote"))
    lost = (
        [f"Its note for whoever does it was left out: {beginning(note)!r}."] if note and word in _OUTREACH else []
    )
    if word in ("auto_email", "manual_email") and not first:
        lost.append("Its template is not in the file (include sequenceTemplates and templates).")
    if word == "manual_email":
        lost.append(
            "A person sends it by hand there; here it leaves by itself once a person has approved the start."
        )
    return ForeignStep(
        word=word or "a step of no type",
        channel=_OUTREACH.get(word),
        name=_text(first.get("name")),
        subject=_text(first.get("subject")),
        body=_text(first.get("bodyHtml"), first.get("bodyText")) or (note if word not in _OUTREACH else ""),
        wait=_seconds(attributes.get("interval"), "second"),
        new_thread=False if is_reply else None,
        variants=tuple(
            (_text(item.get("subject")), _text(item.get("bodyHtml"), item.get("bodyText"))) for item in texts[1:]
        ),
        lost=tuple(lost),
    )


# Apollo: a campaign, its steps, the touches of a step and their templates, side by side or within one another.

_APOLLO = {
    "auto_email": EMAIL,
    "manual_email": EMAIL,
    "linkedin_step_message": MESSAGE,
    "linkedin_step_connect": INVITATION,
}


def _apollo(value: object, name: str) -> Iterator[BlueprintFile]:
    facts = _facts(value)
    campaigns = [facts[key] for key in ("emailer_campaign", "emailer_campaigns") if key in facts] or [facts]
    for campaign in map(_facts, campaigns[0] if isinstance(campaigns[0], list) else [campaigns[0]]):
        steps = _list(campaign.get("emailer_steps")) or [
            step
            for step in _list(facts.get("emailer_steps"))
            if _facts(step).get("emailer_campaign_id") in (None, campaign.get("id"))
        ]
        if not steps:
            if campaigns != [facts]:
                missing = "Its steps are not in the file (emailer_steps, as the campaign by its id has them)."
                missing_steps = import_finding("step", missing, severity=Severity.ERROR)
                yield _blueprint("Apollo", _text(campaign.get("name"), name), (), findings=[missing_steps])
            continue
        parts = [list(map(_facts, _list(campaign.get(key)) or _list(facts.get(key)))) for key in _APOLLO_PARTS]
        touches: dict[str, list[Facts]] = {}
        for touch in parts[0]:
            touches.setdefault(_apollo_id(touch.get("emailer_step_id")), []).append(touch)
        templates = {_apollo_id(item.get("id")): item for item in parts[1]}
        made = (_apollo_step(step, touches=touches, templates=templates) for step in _ordered(steps, "position"))
        yield _blueprint("Apollo", _text(campaign.get("name"), name), made)


_APOLLO_PARTS = ("emailer_touches", "emailer_templates")


def _apollo_id(value: object) -> str:
    return "" if value is None else str(value)


def _apollo_step(
    step: Facts, *, touches: Mapping[str, Items[Facts]], templates: Mapping[str, Facts]
) -> ForeignStep:
    """Return a step; ``touches`` are by the id of their step, empty where they name none."""
    word, note, step_id = _text(step.get("type")), _text(step.get("note")), _apollo_id(step.get("id"))
    nested = list(map(_facts, _list(step.get("emailer_touches"))))
    mine = [touch for touch in nested if _apollo_id(touch.get("emailer_step_id")) in ("", step_id)]
    if not nested:
        mine = [*touches.get(step_id, ()), *(touches.get("", ()) if step_id else ())]
    mine = mine[:_MOST_TEXTS]
    texts = [
        _facts(touch.get("emailer_template"))
        or templates.get(_apollo_id(touch.get("emailer_template_id")), _NOTHING)
        for touch in mine
    ]
    first = texts[0] if texts else _NOTHING
    is_email = _APOLLO.get(word) == EMAIL
    lost = [f"Its note for whoever does it was left out: {beginning(note)!r}."] if note and is_email else []
    if is_email and not first:
        lost.append("Its template is not in the file (emailer_touches and emailer_templates).")
    if word == "manual_email":
        lost.append(
            "A person sends it by hand there; here it leaves by itself once a person has approved the start."
        )
    if _text(step.get("exact_datetime")):
        lost.append(
            f"Its fixed time {beginning(_text(step['exact_datetime']))!r} was left out: set a delay instead."
        )
    kind = mine[0].get("type") if mine else None
    return ForeignStep(
        word=word or "a step of no type",
        channel=_APOLLO.get(word),
        subject=_text(first.get("subject")),
        body=_text(first.get("body_html"), first.get("body_text")) or ("" if is_email else note),
        wait=_seconds(step.get("wait_time"), _text(step.get("wait_mode")) or "day"),
        new_thread=False if kind == "reply_to_thread" else None,
        variants=tuple(
            (_text(item.get("subject")), _text(item.get("body_html"), item.get("body_text"))) for item in texts[1:]
        ),
        lost=tuple(lost),
    )


READERS: Mapping[str, Callable[[object, str], Iterator[BlueprintFile]]] = {
    "Outreach": _outreach,
    "Apollo": _apollo,
    "Smartlead": _smartlead,
    "Instantly": _instantly,
    "lemlist": _lemlist,
}
"""By program, what reads its form; each yields nothing for another's."""
