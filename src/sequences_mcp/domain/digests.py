"""What a person's approval covers, byte for byte: the preimage of every digest, in every version so far.

An approval names the SHA-256 of a preimage: the canonical JSON of the facts listed here, field by field. A plan
and a change at a vendor keep the version they were made under (``digest_version``). All their digests are computed
under it for as long as they live, so an approval outlasts an upgrade of the program.

**A version is frozen.** Its fields, their names, order and form never change; tests compare each version with
digests written down as text. A new field of a step, a text, a plan or a change joins a new version, which is what
is planned from then on; or, where it is optional, it joins the preimage under ``BEYOND`` where it is not at its
default, so that what leaves it out has the digest it always had. Under an older program nobody could give it:
where it is there all the same (someone changed the database), no approval of that time covers it.

A plan's digest is the SHA-256 over its header followed by one SHA-256 a text, in order of person and step. So to
check one text before it is sent takes the header, the list of text digests and that one text, not the texts of ten
thousand people. Each person of a plan at a vendor has one SHA-256 more, of the facts that the vendor is given.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields
from functools import cache, lru_cache
from hashlib import sha256
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import BaseModel

from sequences_mcp.errors import ApprovalError

if TYPE_CHECKING:
    from sequences_mcp.domain.blueprint import Step
    from sequences_mcp.domain.plan import PlanHeader
    from sequences_mcp.domain.run import Run, StepRun

NEWEST = 2
"""The version of what is planned or asked for from now on."""

DIGEST_SIZE = 32
BEYOND = "beyond this version"


class ChangeFacts(NamedTuple):
    """A change at a vendor, as far as an approval covers it: what ``subject`` becomes, and what it was before."""

    id: str
    tool: str
    subject: str
    arguments: Mapping[str, Any]
    earlier: Mapping[str, Any]


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)


def canonical(value: Mapping[str, Any] | list[Any]) -> bytes:
    """Return the canonical JSON of a value: sorted keys, no spaces, UTF-8."""
    return _CANONICAL.encode(value).encode("utf-8", "surrogatepass")


def canonical_text(value: str | None) -> str:
    """Return the canonical JSON of a text or of nothing, as it stands inside of ``canonical``, not encoded yet."""
    return "null" if value is None else encode_basestring(value)


def text_digest(sequence: Run, run: StepRun) -> bytes:
    """Return the SHA-256 of all that decides what one person gets in one step, and when.

    A text that is again what it was under an earlier generation has the digest it had then.
    """
    return sha256(_preimages(sequence.digest_version).text(sequence, run)).digest()


def resend_digest(text: bytes, *, attempt: int) -> bytes:
    """Return the SHA-256 that an approval to send one text again covers, after an attempt of unknown outcome.

    ``text`` is the text's digest, ``attempt`` the lease of that attempt. The digest differs for each attempt and
    from the text's own, so that a signature over an earlier attempt, or over the text, does not approve this one.
    It has no version beside the text's.
    """
    return sha256(b"not sent\n" + text + attempt.to_bytes(8, "big")).digest()


def person_digest(sequence: Run) -> bytes:
    """Return the SHA-256 of all that a vendor is given about one person."""
    return sha256(canonical(_preimages(sequence.digest_version).person(sequence))).digest()


def digests_of_person(sequence: Run) -> bytes:
    """Return the digests of one person in a plan, concatenated: of what a vendor is given, and of each text."""
    person = person_digest(sequence) if sequence.is_at_vendor else b""
    return person + b"".join(text_digest(sequence, run) for run in sequence.steps)


def plan_digest(header: PlanHeader, texts: Iterable[bytes], *, version: int) -> str:
    """Return the digest that a person approves, over a plan's header and the digests of its people."""
    total = sha256(canonical(_preimages(version).header(header)))
    for digest in texts:
        total.update(digest)
    return total.hexdigest()


def change_digest(change: ChangeFacts, *, version: int) -> str:
    """Return the digest that a person approves of a change at a vendor: what is changed, from what to what."""
    return sha256(canonical(_preimages(version).change(change))).hexdigest()


def wire_digest(message: bytes) -> bytes:
    """Return the SHA-256 of an e-mail's bytes as they are handed to the mail server; it has no versions."""
    return sha256(message).digest()


# Version 1: every digest since the first release. Frozen.

_STEP_1 = (
    *("id", "name", "type", "linked_in_type", "content", "subject", "temporality_type", "delay", "content_source"),
    *("config", "policy"),
)
_POLICY_1 = ("skip_step_if_no_contact", "auto_validate_ai_draft", "invite_timeout_days")
_TERMS_1 = ("sender_address", "sender_name", "delivery", "window", "daily_cap", "spacing")
_HEADER_1 = ("blueprint_id", "blueprint_version", "blueprint_name", "terms", "expires_at", "warnings")


def _step_1(step: Step) -> dict[str, Any]:
    return {
        "id": step.id,
        "name": step.name,
        "type": step.type.value,
        "linkedInType": step.linked_in_type and step.linked_in_type.value,
        "content": step.content,
        "subject": step.subject,
        "temporalityType": step.temporality_type.value,
        "delay": step.delay
        and {"value": step.delay.value, "unit": step.delay.unit.value, **_beyond(step.delay, "value", "unit")},
        "contentSource": step.content_source.value,
        "config": step.config and {"userId": step.config.user_id, **_beyond(step.config, "user_id")},
        "policy": {
            "skipStepIfNoContact": step.policy.skip_step_if_no_contact,
            "autoValidateAIDraft": step.policy.auto_validate_ai_draft,
            "inviteTimeoutDays": step.policy.invite_timeout_days,
            **_beyond(step.policy, *_POLICY_1),
        },
        **_beyond(step, *_STEP_1),
    }


@lru_cache(maxsize=64)  # a plan has the same few steps for each of its people
def _written_step_1(step: Step) -> str:
    return _CANONICAL.encode(_step_1(step))


def _text_1(sequence: Run, run: StepRun) -> bytes:
    """Return the canonical list of what decides about a text, its step as it was written once for all."""
    parts = (
        canonical_text(sequence.id),
        canonical_text(sequence.contact_id),
        canonical_text(sequence.time_zone),
        _written_step_1(run.step),
        canonical_text(run.recipient),
        canonical_text(run.subject),
        canonical_text(run.content),
        str(run.text_generation),
    )
    return f"[{','.join(parts)}]".encode("utf-8", "surrogatepass")


def _person_1(sequence: Run) -> list[Any]:
    return [sequence.id, sequence.contact_id, sequence.provider, dict(sequence.vendor_facts)]


def _header_1(header: PlanHeader) -> dict[str, Any]:
    terms = header.terms
    return {
        "blueprint_id": header.blueprint_id,
        "blueprint_version": header.blueprint_version,
        "blueprint_name": header.blueprint_name,
        "terms": {
            "sender_address": terms.sender_address,
            "sender_name": terms.sender_name,
            "delivery": terms.delivery,
            "window": terms.window,
            "daily_cap": terms.daily_cap,
            "spacing": terms.spacing,
            **_beyond(terms, *_TERMS_1),
        },
        "expires_at": header.expires_at.isoformat(sep=" "),
        "warnings": list(header.warnings),
        **_beyond(header, *_HEADER_1),
    }


def _change_1(change: ChangeFacts) -> list[Any]:
    return [change.id, change.tool, change.subject, change.arguments, change.earlier]


# Version 2: which variant of a step's text a person was given belongs to the text. Frozen.


def _text_2(sequence: Run, run: StepRun) -> bytes:
    """Return what version 1 has of a text, and its variant."""
    return b"[%b,%b]" % (_text_1(sequence, run), canonical_text(run.letter).encode())


class _Preimages(NamedTuple):
    """One version: what each kind of digest is over; of a text, in its canonical form already."""

    text: Callable[[Run, StepRun], bytes]
    person: Callable[[Run], list[Any]]
    header: Callable[[PlanHeader], dict[str, Any]]
    change: Callable[[ChangeFacts], list[Any]]


_VERSIONS = {
    1: _Preimages(text=_text_1, person=_person_1, header=_header_1, change=_change_1),
    2: _Preimages(text=_text_2, person=_person_1, header=_header_1, change=_change_1),
}


def _preimages(version: int) -> _Preimages:
    try:
        return _VERSIONS[version]
    except KeyError:
        raise ApprovalError(
            f"This was sealed under version {version} of the digests; this program knows versions up to {NEWEST}.",
            next_step="Update sequences-mcp (`pip install -U sequences-mcp`).",
        ) from None


def _beyond(value: object, *known: str) -> dict[str, Any]:
    """Return the fields that a version does not know and that are not at their default, or nothing."""
    kind: Any = type(value)
    unknown = _unknown(kind, known)
    used = {name: result for name, default in unknown if (result := getattr(value, name)) != default}
    return {BEYOND: used} if used else {}


@cache
def _unknown(kind: type[Any], known: tuple[str, ...]) -> tuple[tuple[str, Any], ...]:
    """Return the fields of a class that are not among these, each with its default."""
    if issubclass(kind, BaseModel):
        return tuple(
            (name, field.get_default(call_default_factory=True))
            for name, field in kind.model_fields.items()
            if name not in known
        )
    return tuple(
        (field.name, field.default if field.default_factory is MISSING else field.default_factory())
        for field in fields(kind)
        if field.name not in known
    )
