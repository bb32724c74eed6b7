"""Steps and blueprints, in the format of Kalent's public API (vendor page "Create sequence blueprint").

Attribute names are Python's, names on the wire are Kalent's (``linkedInType``, ``temporalityType``). The models
check form only: what the fields must mean together is the business of the guards, which report every problem at
once instead of the first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel


class Channel(StrEnum):
    """How a step reaches a person."""

    EMAIL = "EMAIL"
    LINKEDIN = "LINKEDIN"
    WHATSAPP = "WHATSAPP"
    SMS = "SMS"


TEXTED = frozenset({Channel.WHATSAPP, Channel.SMS})
"""Channels that ring on a telephone."""


class LinkedInType(StrEnum):
    """What a LinkedIn step does."""

    INVITATION = "LINKEDIN_INVITATION"
    INVITATION_WITH_MESSAGE = "LINKEDIN_INVITATION_WITH_MESSAGE"
    MESSAGE = "LINKEDIN_MESSAGE"
    INMAIL = "LINKEDIN_INMAIL"


INVITE_TIMEOUT_DAYS = 14  # where no step of the blueprint sets policy.inviteTimeoutDays
INVITATIONS = frozenset({LinkedInType.INVITATION, LinkedInType.INVITATION_WITH_MESSAGE})


class Temporality(StrEnum):
    """When a step becomes due."""

    ASAP = "ASAP"
    DELAYED = "DELAYED"
    AFTER_INVITATION_SETTLED = "AFTER_INVITATION_SETTLED"


class DelayUnit(StrEnum):
    """The units of a stored delay (Kalent's three); ``Delay`` converts others on input."""

    DAY = "day"
    MINUTE = "minute"
    SECOND = "second"


SECONDS_IN = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400, "week": 604_800}


class ContentSource(StrEnum):
    """Who writes the text: one template for all, or one text per contact."""

    MANUAL = "manual"
    SUGGESTED = "suggestedByKalent"


class TextKind(StrEnum):
    """How a content is written: as text, or as Markdown, which leaves as text and as HTML in one e-mail."""

    TEXT = "text"
    MARKDOWN = "markdown"


class WireModel(BaseModel):
    """A frozen value whose names on the wire are camelCase and whose unknown fields are refused.

    A field that is null counts as absent: many callers send null for what they leave out.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        defer_build=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _drop_nulls(cls, raw: Any) -> Any:
        if not isinstance(raw, Mapping) or None not in raw.values():
            return raw
        return {name: value for name, value in raw.items() if value is not None}


class Delay(WireModel):
    """How long after the previous step was executed.

    Units in other forms (``hours``, ``Weeks``) and parts of a unit (1.5 hours) are converted to the largest of the
    three units that holds them exactly; a value that is no number, ``true`` included, is refused.
    """

    value: int
    unit: DelayUnit

    @model_validator(mode="before")
    @classmethod
    def _convert(cls, raw: Any) -> Any:
        if not isinstance(raw, Mapping) or not isinstance(raw.get("unit"), str):
            return raw
        value, unit = raw.get("value"), raw["unit"].strip().lower().removesuffix("s")
        if isinstance(value, bool):
            return {**raw, "value": str(value).lower()}  # pydantic would take true for 1
        if unit not in SECONDS_IN or not isinstance(value, int | float):
            return {**raw, "unit": unit}
        if isinstance(value, int) and unit in set(DelayUnit):
            return {**raw, "unit": unit}
        return {**raw, **_exact(value, unit)}

    def duration(self) -> timedelta:
        """Return the delay as a time span."""
        return timedelta(**{f"{self.unit}s": self.value})


def _exact(value: float, unit: str) -> dict[str, Any]:
    """Return a time span as a whole number of the largest unit that fits, or unchanged where none does."""
    try:
        seconds = Fraction(str(value)) * SECONDS_IN[unit]
    except ValueError:  # NaN and the infinities, which pydantic then refuses
        return {"value": value, "unit": unit}
    for name in DelayUnit:  # from the largest
        if (count := seconds / SECONDS_IN[name]).denominator == 1:
            return {"value": int(count), "unit": name}
    return {"value": value, "unit": unit}


class Policy(WireModel):
    """What to do when a step cannot be sent as it is."""

    skip_step_if_no_contact: bool = False
    auto_validate_ai_draft: Annotated[bool, Field(alias="autoValidateAIDraft")] = False
    invite_timeout_days: int | None = None


class StepConfig(WireModel):
    """Who sends this step, where it is not the sequence's sender, and whether it begins a new conversation."""

    user_id: str | None = None
    new_thread: bool = False


FEWEST_VARIANTS, MOST_VARIANTS = 2, 4


class Variant(WireModel):
    """One of the texts of a step that has several; what it leaves out is the step's own."""

    name: str | None = None
    subject: str | None = None
    content: str | None = None


def variant_letter(number: int) -> str:
    """Return the letter under which a variant, counted from 0, is shown."""
    return chr(ord("A") + number)


class Step(WireModel):
    """One touch: channel, text, timing and policy.

    With ``variants`` each person gets one of these texts (``alternatives``). A run has the step with that text as
    its own and without variants.
    """

    id: str
    name: str
    type: Channel
    linked_in_type: LinkedInType | None = None
    content: str
    format: TextKind = TextKind.TEXT
    subject: str | None = None
    variants: tuple[Variant, ...] | None = None
    temporality_type: Temporality
    delay: Delay | None = None
    content_source: ContentSource = ContentSource.MANUAL
    config: StepConfig | None = None
    policy: Policy = Field(default_factory=Policy)

    @model_validator(mode="before")
    @classmethod
    def _fill_content(cls, value: Any) -> Any:
        """A step whose text is written later, stands in its variants, or is none, may leave its content out."""
        if not isinstance(value, Mapping):
            return value
        if value.get("variants") in ([], ()):
            value = {name: given for name, given in value.items() if name != "variants"}
        if value.get("content") is not None:
            return value
        later = ContentSource.SUGGESTED in (value.get("contentSource"), value.get("content_source"))
        bare = LinkedInType.INVITATION in (value.get("linkedInType"), value.get("linked_in_type"))
        return {**value, "content": ""} if later or bare or value.get("variants") else value

    def __hash__(self) -> int:
        """Hash what nearly always differs: a plan looks its few steps up for each of ten thousand people."""
        return hash((self.id, self.subject, self.content))

    @property
    def alternatives(self) -> tuple[Step, ...]:
        """The step once with each text that somebody gets: of each variant, or its own where it has none."""
        return _alternatives(self) if self.variants else (self,)

    def given(self, variant: int | None) -> Step:
        """Return the step as a person gets it who has this variant, counted from 0; None: it has none.

        ValueError where there is no such variant.
        """
        number = 0 if variant is None else variant
        if (variant is None) != (not self.variants) or not 0 <= number < len(self.alternatives):
            raise ValueError(f"step {self.id} has no variant {variant}")
        return self.alternatives[number]

    @property
    def takes_subject(self) -> bool:
        """Whether this step has a subject: an e-mail or an InMail."""
        return self.type is Channel.EMAIL or self.linked_in_type is LinkedInType.INMAIL

    @property
    def is_markdown(self) -> bool:
        """Whether its content is Markdown."""
        return self.format is TextKind.MARKDOWN and self.type is Channel.EMAIL

    @property
    def sent_as(self) -> str | None:
        """How it leaves, in words, where that is not as it is shown: as text alone."""
        return "as text and as HTML that says the same" if self.is_markdown else None

    @property
    def starts_thread(self) -> bool:
        """Whether this e-mail answers none of those before it."""
        return self.config is not None and self.config.new_thread

    @property
    def is_invitation(self) -> bool:
        """Whether this step asks for a LinkedIn connection."""
        return self.linked_in_type in INVITATIONS

    @property
    def is_written_per_contact(self) -> bool:
        """Whether each contact gets a text of their own instead of the template."""
        return self.content_source is ContentSource.SUGGESTED


@lru_cache(maxsize=256)  # a plan asks for them for each of its people
def _alternatives(step: Step) -> tuple[Step, ...]:
    return tuple(
        step.model_copy(
            update={
                "subject": step.subject if variant.subject is None else variant.subject,
                "content": step.content if variant.content is None else variant.content,
                "variants": None,
            }
        )
        for variant in step.variants or ()
    )


class Sourcing(WireModel):
    """The job to be filled, whose values fill the ``sourcing…`` variables; ``id`` is its id at Kalent."""

    id: str | None = None
    job_title: str | None = None
    location: str | None = None


class OnReply(StrEnum):
    """What becomes of a run when its contact answers by e-mail: it ends, waits for a person, or goes on."""

    STOP = "stop"
    HOLD = "hold"
    CONTINUE = "continue"


class ReplyRules(WireModel):
    """What follows when somebody answers; ``stop_company`` also holds the runs of others at their company."""

    on_reply: OnReply = OnReply.STOP
    stop_company: bool = False


class Blueprint(WireModel):
    """One immutable version of an ordered list of steps; ``archived``: all its versions were put away.

    ``owner`` is whoever made it, as their issuer tells people apart, or empty where nobody had signed in;
    ``private``: nobody else sees it (``is_seen_by``).
    """

    id: str
    name: str
    version: int
    steps: tuple[Step, ...]
    sourcing: Sourcing
    created_at: datetime
    replies: ReplyRules = Field(default_factory=ReplyRules)
    archived: bool = False
    owner: str = ""
    private: bool = False

    def is_seen_by(self, reader: str) -> bool:
        """Say whether somebody sees it; an empty ``reader`` is whoever sees all, as on this machine."""
        return not (self.private and reader and self.owner != reader)


# How each stored value of a step is built from JSON, by its wire name; a name that is not here needs no
# conversion.
_STEP_VALUES: Mapping[str, Callable[[Any], Any]] = {
    "type": Channel,
    "linkedInType": LinkedInType,
    "temporalityType": Temporality,
    "contentSource": ContentSource,
    "format": TextKind,
    "delay": lambda facts: Delay.model_construct(**facts | {"unit": DelayUnit(facts["unit"])}),
    "config": lambda facts: StepConfig.model_construct(**_given(facts)),
    "policy": lambda facts: Policy.model_construct(**_given(facts)),
    "variants": lambda rows: tuple(Variant.model_construct(**_given(facts)) for facts in rows),
}


def built_step(facts: Mapping[str, Any]) -> Step:
    """Return a step from its stored values. They were validated before they were stored, so they are not again."""
    built: dict[str, Any] = {
        name: _STEP_VALUES[name](value) if name in _STEP_VALUES else value for name, value in _given(facts).items()
    }
    return Step.model_construct(**built)


def built_rules(facts: Mapping[str, Any]) -> ReplyRules:
    """Return the rules for answers from their stored values, without validating them again."""
    on_reply = OnReply(facts.get("onReply", OnReply.STOP))
    return ReplyRules.model_construct(on_reply=on_reply, stop_company=bool(facts.get("stopCompany")))


def built_sourcing(facts: Mapping[str, Any]) -> Sourcing:
    """Return a sourcing from its stored values, without validating them again."""
    return Sourcing.model_construct(**_given(facts))


def _given(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if value is not None}
