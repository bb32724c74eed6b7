"""What a yes is to: the digests of each version as text, and each fact that changes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel

from sequences_mcp.domain import digests
from sequences_mcp.domain.blueprint import (
    Channel,
    ContentSource,
    Delay,
    DelayUnit,
    LinkedInType,
    Policy,
    Step,
    StepConfig,
    Temporality,
    TextKind,
    Variant,
)
from sequences_mcp.domain.plan import PlanHeader, Terms
from sequences_mcp.domain.run import Run, SequenceStatus, StepRun, StepState
from sequences_mcp.errors import ApprovalError
from sequences_mcp.ports.embedded import PendingChange

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
OURS = Terms(
    sender_address="ada@lovelace.example",
    sender_name="Ada Lovelace",
    delivery="smtp://mail.lovelace.example:587",
    window="Mon-Fri 09:00-17:00",
    daily_cap=50,
    spacing=90,
)
VENDORS = Terms(
    sender_address="",
    sender_name="Kalent",
    delivery="https://api.kalent.example/api",
    window="",
    daily_cap=0,
    spacing=0,
)
HEADER = PlanHeader(
    blueprint_id="local:bp_01ARZ3NDEKTSV4RRFFQ69G5FAV",
    blueprint_version=2,
    blueprint_name="Engineers, März",
    terms=OURS,
    expires_at=AT,
)
MAIL = Step(
    id="hello",
    name="Hello",
    type=Channel.EMAIL,
    subject="A role",
    content="Hi {{firstname}} 👋",
    temporality_type=Temporality.ASAP,
)
LATER = MAIL.model_copy(
    update={
        "id": "later",
        "temporality_type": Temporality.DELAYED,
        "delay": Delay(value=3, unit=DelayUnit.DAY),
        "config": StepConfig(user_id="user_1"),
        "policy": Policy(skip_step_if_no_contact=True),
    }
)
WRITTEN = MAIL.model_copy(
    update={
        "content": "",
        "content_source": ContentSource.SUGGESTED,
        "policy": Policy(auto_validate_ai_draft=True),
    }
)
INVITATION = Step(
    id="invitation",
    name="Invitation",
    type=Channel.LINKEDIN,
    linked_in_type=LinkedInType.INVITATION_WITH_MESSAGE,
    content="Shall we connect?",
    temporality_type=Temporality.ASAP,
    policy=Policy(invite_timeout_days=7),
)
MESSAGE = INVITATION.model_copy(
    update={
        "id": "message",
        "linked_in_type": LinkedInType.MESSAGE,
        "temporality_type": Temporality.AFTER_INVITATION_SETTLED,
        "policy": Policy(),
    }
)
STEPS = {
    "e-mail": MAIL,
    "e-mail after a delay, with a config": LATER,
    "e-mail written for one person": WRITTEN,
    "bare invitation": INVITATION.model_copy(update={"linked_in_type": LinkedInType.INVITATION, "content": ""}),
    "invitation with a message": INVITATION,
    "message after an invitation": MESSAGE,
    "InMail": MESSAGE.model_copy(update={"linked_in_type": LinkedInType.INMAIL, "subject": "A role"}),
    "WhatsApp": MAIL.model_copy(update={"type": Channel.WHATSAPP, "subject": None}),
    "SMS": MAIL.model_copy(update={"type": Channel.SMS, "subject": None, "delay": Delay(value=90, unit="minute")}),
}
VENDOR_FACTS: dict[str, dict[str, str]] = {
    "kalent": {"candidate": "kalent:candidate_ines"},
    "clarky": {"email": "zoe@new.example", "first_name": "Zoë", "company": "New"},
    "topo": {"email": "zoe@new.example", "list": "list_1"},
}


def run_of(step: Step, **more: Any) -> StepRun:
    """Return a step as one person gets it."""
    values = {"key": "01ARZ3NDEKTSV4RRFFQ69G5FAW", "recipient": "grace@hopper.example", **more}
    return StepRun(step=step, **{"subject": step.subject, "content": "Hi Grace 👋", **values})


def sequence_of(*steps: StepRun, **more: Any) -> Run:
    """Return a person's run of these steps."""
    return Run(
        id="local:seq_01ARZ3NDEKTSV4RRFFQ69G5FAX",
        plan_id="local:plan_01ARZ3NDEKTSV4RRFFQ69G5FAY",
        blueprint_id=HEADER.blueprint_id,
        blueprint_version=2,
        contact_id="local:ct_01ARZ3NDEKTSV4RRFFQ69G5FAZ",
        status=SequenceStatus.FOUND,
        ordinal=0,
        steps=steps,
        created_at=AT,
        updated_at=AT,
        **{"time_zone": "Europe/Paris", **more},
    )


def change(**more: Any) -> PendingChange:
    """Return a change of what a vendor sends."""
    values: dict[str, Any] = {
        "id": "local:op_01ARZ3NDEKTSV4RRFFQ69G5FB0",
        "tool": "update_blueprint",
        "subject": "kalent:sequence_1",
        "arguments": {"expected_version": 1, "name": "Engineers, März", "steps": None},
        "earlier": {"expected_version": 1, "name": "Engineers", "steps": [{"id": "hello", "content": "Hi"}]},
        "asked_at": AT,
        "digest_version": 1,
    }
    return PendingChange(**{**values, **more})


def text(step: Step, *, version: int = 1, **more: Any) -> str:
    """Return the digest of one text of a plan of a version, the first where none is named."""
    run = run_of(step, **more)
    return digests.text_digest(sequence_of(run, digest_version=version), run).hex()


def plan(header: PlanHeader = HEADER, *, texts: tuple[bytes, ...] = (b"\x01" * 32, b"\x02" * 32)) -> str:
    """Return the digest of a plan of version 1."""
    return digests.plan_digest(header, texts, version=1)


def at_vendor(provider: str, **more: Any) -> Run:
    """Return a run that a vendor carries out."""
    values = {"provider": provider, "vendor_facts": VENDOR_FACTS[provider], "digest_version": 1, **more}
    return sequence_of(run_of(MAIL), **values)


# Version 1, for ever. A digest here that has to be changed is somebody's approval that no longer holds.
TEXTS_1 = {
    "e-mail": "b9b3f13b02b9f918ab0e5b9ae002bb740726dddceed81f1117400451ded0611b",
    "e-mail after a delay, with a config": "adb10f716a53b5d7ece604d8a3000358ff611b6bf81fdc1d04a0d3070bcb1285",
    "e-mail written for one person": "bbaa7cf2c9a88710e46a5b67a3c69d22e252093ec059d1ff224c3e5255c76ab9",
    "bare invitation": "b7113f04673492659f7b1e8f2b61a5052bf5cb5c722d4b5240ca06a3c758776f",
    "invitation with a message": "f6fa5682c654be9cd585cc69acfe57cac281410520ff56b28b26ee40b97e0900",
    "message after an invitation": "a945c4f02da9ca58f2b22ed96a9b8a6a9e654cdd6b128bf66224f7b62ae3d10b",
    "InMail": "aa0dd232041a1ff1a98bcd5c56daf60347f2c858b42cca6c8fe68ad6271fb608",
    "WhatsApp": "cfac21d26ae9814f4b2d8c09818b96b21333c74e8c08b2fe37232846758dd884",
    "SMS": "794e6ae65575412de68ce68b90cd2f52e10c9655290f860328cd9c920e2c5274",
}
REWRITTEN_1 = "ce35c8d50b5a42715ce9b2bf3fa504a2a2b27d646fe12ece4af0bc83458fd4c2"
UNWRITTEN_1 = "d19a4e1bac55c15e70a1355afdd3e682fa35686d987fdbd775487aa4ed51b48e"
NOBODY_1 = "047be33fc093ddfb6997a72e499fdcde69891f479c8319b2d280d2f88f58411b"
PEOPLE_1 = {
    "kalent": "9ed8d9e1f0c65096441040eac8b1e5a3aa424d806cf35a0422da18e1b790a433",
    "clarky": "5d09b5546461c0613123b6506eb25bfe9f69e1022bead27b9f889bba349cf30b",
    "topo": "28e586530095b4a20bf456dc32a892328911c0be3382366181e4a1d77cf7de12",
}
PLANS_1 = {
    "ours": (HEADER, "bf40745fc03bd4678de7a54458ef69a0904252b2016685814eed657fa1133298"),
    "ours, with warnings": (
        replace(HEADER, warnings=("hello: links.too_many",), expires_at=AT.replace(microsecond=250)),
        "e247cd7d81e72a4b0711818365d85c642a93049e5f32db994577b95589ecb72d",
    ),
    "a vendor's": (
        replace(HEADER, terms=VENDORS, blueprint_id="kalent:sequence_1"),
        "0c3012de6e23ab97a460a793957cc2f066b14091f947c8caeb81140d91f0111a",
    ),
}
CHANGE_1 = "a2ee1566d4abe6182aa3879690dd7f0d9999a6c841a51d3700c9b260138ef9a3"
RESEND = "05560017d66c0794b0957331f102eec93bccc5f3b3e49bc6b9a649a19bbdc13d"
WIRE = "0d13d964e39092c9f1dd16ba93f63c717a27355c9bfd4b99a24a74036821cb1e"


# Version 2, for ever.
TEXTS_2 = {
    "e-mail": "b4d190df2f7e273baaa7976507d266ea30f0477aeb21655c4a79fbd16adf395a",
    "e-mail after a delay, with a config": "b53155adbba1ea48273b6abc8e3deeac61a18f74ba26df4ae02320da41b88432",
    "e-mail written for one person": "bd7663b0d459f2aa5d2e8f787ee868176ba0c296ad333e980e09806df263994c",
    "bare invitation": "b8bfce4f4ae429ff2792c184c420d416abc2f7cc684f77f4c1dfffe3a2c5bf42",
    "invitation with a message": "d4b7e545009c19885fa09645dfc4f29c0de6ea3679ada37f8660b5a2259f12ab",
    "message after an invitation": "56a53f7173a46dee779018bc074a2455f9e0f9ed63d67605d84dd513aa55bdcc",
    "InMail": "fdb997254925edafbe1c33cd7ac4551e652f38792415eec16ec10faaf3e89194",
    "WhatsApp": "259936ef605cedf69f7490fa1550b51090c925c6f15581449b98b68a5a1b595d",
    "SMS": "f34e21ffaec7f795b46530d90ea253682ae9b89e1186bce23bae4bcc97046412",
}
VARIANTS_2 = (
    "a7795362ba49b22c44449b2d0a5b180b53164beab30c4c3f01e404140efebf5c",
    "00758f080f7dfce407f59a9197a1ca88808ab74e6b5ab413b725df58e2a9863e",
)


@pytest.mark.parametrize("kind", STEPS)
def test_each_kind_of_step_has_the_digest_it_always_had(kind: str) -> None:
    assert text(STEPS[kind]) == TEXTS_1[kind]
    assert text(STEPS[kind], version=2) == TEXTS_2[kind]


def test_each_variant_of_a_text_has_the_digest_it_always_had_and_none_is_that_of_a_text_without_variants() -> None:
    assert tuple(text(MAIL, version=2, variant=number) for number in range(2)) == VARIANTS_2
    assert not {TEXTS_1["e-mail"], TEXTS_2["e-mail"]} & set(VARIANTS_2)


def test_what_a_vendor_is_given_a_plan_and_a_change_have_the_same_digest_in_version_2_as_in_version_1() -> None:
    for provider, known in PEOPLE_1.items():
        assert digests.person_digest(at_vendor(provider, digest_version=2)).hex() == known
    assert digests.plan_digest(HEADER, (b"\x01" * 32, b"\x02" * 32), version=2) == PLANS_1["ours"][1]
    assert change(digest_version=2).digest == CHANGE_1


def test_a_text_that_was_rewritten_is_unwritten_or_has_no_recipient_has_the_digest_it_always_had() -> None:
    assert text(MAIL, generation=2) == REWRITTEN_1
    assert text(MAIL, generation=2, same_as=0) == TEXTS_1["e-mail"]
    assert text(MAIL, content=None) == UNWRITTEN_1
    assert text(MAIL, recipient=None) == NOBODY_1


@pytest.mark.parametrize("provider", VENDOR_FACTS)
def test_what_each_vendor_is_given_has_the_digest_it_always_had(provider: str) -> None:
    run = at_vendor(provider)
    assert digests.person_digest(run).hex() == PEOPLE_1[provider]
    assert digests.digests_of_person(run).hex() == PEOPLE_1[provider] + TEXTS_1["e-mail"]


@pytest.mark.parametrize("kind", PLANS_1)
def test_each_kind_of_plan_has_the_digest_it_always_had(kind: str) -> None:
    header, known = PLANS_1[kind]
    assert plan(header) == known


def test_a_change_at_a_vendor_has_the_digest_it_always_had() -> None:
    assert change().digest == CHANGE_1


def test_a_yes_to_send_a_text_again_has_a_digest_of_its_own_for_each_attempt() -> None:
    own = bytes.fromhex(TEXTS_1["e-mail"])
    assert digests.resend_digest(own, attempt=3).hex() == RESEND
    others = {
        digests.resend_digest(own, attempt=4),
        digests.resend_digest(bytes.fromhex(REWRITTEN_1), attempt=3),
        own,
    }
    assert bytes.fromhex(RESEND) not in others


def test_an_e_mail_as_it_is_handed_over_has_its_plain_sha_256() -> None:
    assert digests.wire_digest(b"Subject: Hi\r\n\r\nHi\r\n").hex() == WIRE


@pytest.mark.parametrize("version", [0, digests.NEWEST + 1])
def test_a_version_that_this_program_does_not_know_covers_nothing_and_says_so(version: int) -> None:
    run = run_of(MAIL)
    with pytest.raises(ApprovalError, match=f"version {version} "):
        digests.text_digest(sequence_of(run, digest_version=version), run)
    with pytest.raises(ApprovalError):
        digests.plan_digest(HEADER, [], version=version)


# A new optional field, in each model that a digest is over.


class NewerDelay(Delay):
    """A delay of a later program."""

    jitter: int | None = None


class NewerPolicy(Policy):
    """A policy of a later program."""

    track_opens: bool = False


class NewerConfig(StepConfig):
    """A config of a later program."""

    mailbox: str | None = None


class NewerStep(Step):
    """A step of a later program."""

    attachment: str | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewerTerms(Terms):
    """Terms of a later program."""

    region: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewerHeader(PlanHeader):
    """A header of a later program."""

    mailbox: str = ""


def newer(step: Step, **more: Any) -> NewerStep:
    """Return a step as a later program reads it, whose models have one more optional field each."""
    dump = step.model_dump(mode="json", exclude={"delay", "policy", "config"})
    delay = step.delay and NewerDelay(**{**step.delay.model_dump(), **more.pop("delay", {})})
    policy = NewerPolicy(**{**step.policy.model_dump(), **more.pop("policy", {})})
    config = step.config and NewerConfig(**{**step.config.model_dump(), **more.pop("config", {})})
    return NewerStep.model_validate(dump).model_copy(
        update={"delay": delay, "policy": policy, "config": config, **more}
    )


@pytest.mark.parametrize("kind", STEPS)
def test_a_new_optional_field_of_a_step_changes_no_digest_that_was_approved(kind: str) -> None:
    assert text(newer(STEPS[kind])) == TEXTS_1[kind]


def test_a_new_field_of_the_settings_or_the_header_changes_no_digest_that_was_approved() -> None:
    values = {one.name: getattr(OURS, one.name) for one in fields(OURS)}
    facts = {one.name: getattr(HEADER, one.name) for one in fields(HEADER)}
    assert plan(NewerHeader(**{**facts, "terms": NewerTerms(**values)})) == PLANS_1["ours"][1]
    assert plan(NewerHeader(**{**facts, "mailbox": "other"})) != PLANS_1["ours"][1]
    assert plan(replace(HEADER, terms=NewerTerms(**values, region="eu"))) != PLANS_1["ours"][1]


@pytest.mark.parametrize(
    "used",
    [
        {"attachment": "cv.pdf"},
        {"attachment": "other.pdf"},
        {"tags": ("a",)},
        {"delay": {"jitter": 5}},
        {"policy": {"track_opens": True}},
        {"config": {"mailbox": "second"}},
    ],
    ids=str,
)
def test_a_field_that_a_version_does_not_know_is_covered_by_no_approval_of_it(used: dict[str, Any]) -> None:
    assert text(newer(LATER, **used)) != TEXTS_1["e-mail after a delay, with a config"]


# Each fact that reaches a recipient, or decides when, changes the digest.

STEP_CHANGES: dict[str, Any] = {
    "id": "other",
    "name": "Other",
    "type": Channel.SMS,
    "linked_in_type": LinkedInType.INMAIL,
    "content": "other",
    "format": TextKind.MARKDOWN,
    "subject": "other",
    "variants": (Variant(subject="other"), Variant(subject="another")),
    "temporality_type": Temporality.ASAP,
    "delay": Delay(value=4, unit=DelayUnit.DAY),
    "content_source": ContentSource.SUGGESTED,
    "config": StepConfig(user_id="user_2"),
    "policy": Policy(invite_timeout_days=3),
}
PART_CHANGES: dict[tuple[str, str], Any] = {
    ("delay", "value"): 5,
    ("delay", "unit"): DelayUnit.MINUTE,
    ("config", "user_id"): None,
    ("config", "new_thread"): True,
    ("policy", "skip_step_if_no_contact"): False,
    ("policy", "auto_validate_ai_draft"): True,
    ("policy", "invite_timeout_days"): 1,
}
RUN_CHANGES: dict[str, Any] = {
    "recipient": "other@hopper.example",
    "subject": "other",
    "content": "other",
    "generation": 3,
    "same_as": 1,
}
RUN_CHANGES_2: dict[str, Any] = {"variant": 1}
"""What version 2 covers besides."""
# What becomes of a step and of a run, and what only says so; none of it reaches anybody.
RUN_STATE = {
    *("key", "state", "reason", "until", "executed_at", "accepted_at", "anchor", "lease", "lease_expires_at"),
    *("message_id", "server_reply"),
}
SEQUENCE_CHANGES: dict[str, Any] = {"id": "local:seq_0", "contact_id": "local:ct_0", "time_zone": "UTC"}
SEQUENCE_STATE = {
    *("plan_id", "blueprint_id", "blueprint_version", "status", "ordinal", "steps", "created_at", "updated_at"),
    *("anchor", "variables", "paused_since", "paused_until", "stop_reason", "warnings", "findings", "reason"),
    *("provider", "vendor_facts", "remote_id", "operation_id", "digest_version"),
}
PERSON_CHANGES: dict[str, Any] = {
    "id": "local:seq_0",
    "contact_id": "local:ct_0",
    "provider": "topo",
    "vendor_facts": {"email": "zoe@new.example"},
}
TERMS_CHANGES: dict[str, Any] = {
    "sender_address": "eve@lovelace.example",
    "sender_name": "Eve",
    "delivery": "outbox",
    "window": "Mon-Sun 00:00-24:00",
    "daily_cap": 51,
    "spacing": 0,
    "reply_to": "team@lovelace.example",
    "ramp_up": 10,
    "signature_picture": "https://lovelace.example/ada.png",
}
HEADER_CHANGES: dict[str, Any] = {
    "blueprint_id": "local:bp_0",
    "blueprint_version": 3,
    "blueprint_name": "Other",
    "terms": VENDORS,
    "expires_at": AT.replace(microsecond=1),
    "warnings": ("hello: links.too_many",),
}
CHANGE_CHANGES: dict[str, Any] = {
    "id": "local:op_0",
    "tool": "update_sequence",
    "subject": "kalent:sequence_2",
    "arguments": {"expected_version": 1, "name": "Other", "steps": None},
    "earlier": {"expected_version": 1, "name": "Engineers", "steps": []},
}
CHANGE_STATE = {
    *("asked_at", "digest_version", "approved_by", "refused_by", "reason", "decided_at", "came_to"),
}


def test_each_field_of_a_step_changes_its_digest() -> None:
    assert set(STEP_CHANGES) == set(Step.model_fields)
    whole = text(LATER, subject="s", content="c")
    for name, value in STEP_CHANGES.items():
        step = LATER.model_copy(update={name: value})
        assert text(step, subject="s", content="c") != whole, name
    parts: dict[str, type[BaseModel]] = {"delay": Delay, "config": StepConfig, "policy": Policy}
    assert set(PART_CHANGES) == {(part, name) for part, kind in parts.items() for name in kind.model_fields}
    for (part, name), value in PART_CHANGES.items():
        changed = getattr(LATER, part).model_copy(update={name: value})
        assert text(LATER.model_copy(update={part: changed}), subject="s", content="c") != whole, (part, name)


def test_each_fact_of_a_text_changes_its_digest_and_what_becomes_of_it_does_not() -> None:
    assert {one.name for one in fields(StepRun)} == set(RUN_CHANGES) | set(RUN_CHANGES_2) | RUN_STATE | {"step"}
    whole = text(MAIL, generation=2)
    for name, value in RUN_CHANGES.items():
        assert text(MAIL, **{"generation": 2, name: value}) != whole, name
    newer = text(MAIL, generation=2, version=2)
    for name, value in {**RUN_CHANGES, **RUN_CHANGES_2}.items():
        assert text(MAIL, version=2, **{"generation": 2, name: value}) != newer, name
    assert text(MAIL, generation=2, state=StepState.SENT, reason="x", message_id="<a@b>", until=AT) == whole


def test_each_fact_of_a_person_changes_the_digest_of_their_texts() -> None:
    assert {one.name for one in fields(Run)} == set(SEQUENCE_CHANGES) | SEQUENCE_STATE
    run = run_of(MAIL)
    for name, value in SEQUENCE_CHANGES.items():
        changed = replace(sequence_of(run), **{name: value})
        assert digests.text_digest(changed, run).hex() != TEXTS_1["e-mail"], name


@pytest.mark.parametrize("name", PERSON_CHANGES)
def test_each_fact_that_a_vendor_is_given_changes_the_digest(name: str) -> None:
    changed = replace(at_vendor("kalent"), **{name: PERSON_CHANGES[name]})
    assert digests.person_digest(changed).hex() != PEOPLE_1["kalent"]


def test_each_setting_each_fact_of_the_header_each_text_and_their_order_change_the_digest_of_a_plan() -> None:
    assert {one.name for one in fields(Terms)} == set(TERMS_CHANGES)
    assert {one.name for one in fields(PlanHeader)} == set(HEADER_CHANGES)
    known = PLANS_1["ours"][1]
    assert known not in {
        plan(replace(HEADER, terms=replace(OURS, **{name: value}))) for name, value in TERMS_CHANGES.items()
    }
    assert known not in {plan(replace(HEADER, **{name: value})) for name, value in HEADER_CHANGES.items()}
    one, two = b"\x01" * 32, b"\x02" * 32
    assert known not in {plan(texts=texts) for texts in ((one,), (two, one), (one, one), (one, two, two))}


def test_each_fact_of_a_change_changes_its_digest_and_what_becomes_of_it_does_not() -> None:
    assert {one.name for one in fields(PendingChange)} == set(CHANGE_CHANGES) | CHANGE_STATE
    for name, value in CHANGE_CHANGES.items():
        assert change(**{name: value}).digest != CHANGE_1, name
    decided: Mapping[str, Any] = {"approved_by": "page", "decided_at": AT, "came_to": "done"}
    assert change(**decided).digest == CHANGE_1
