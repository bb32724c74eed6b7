"""Steps and blueprints, in the format of Kalent's public API (vendor page "Create sequence blueprint").

Attribute names are Python's, names on the wire are Kalent's (``linkedInType``, ``temporalityType``). The models
check form only: what the fields must mean together is the business of the guards, which report every problem at
once instead of the first.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Channel(StrEnum):
    """How a step reaches a person."""

    EMAIL = "EMAIL"
    LINKEDIN = "LINKEDIN"
    WHATSAPP = "WHATSAPP"
    SMS = "SMS"


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
    """The units a delay can have: no hour, no week, singular."""

    DAY = "day"
    MINUTE = "minute"
    SECOND = "second"


class ContentSource(StrEnum):
    """Who writes the text: one template for all, or one text per contact."""

    MANUAL = "manual"
    SUGGESTED = "suggestedByKalent"


class WireModel(BaseModel):
    """A frozen value whose names on the wire are camelCase and whose unknown fields are refused."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        defer_build=True,
    )


class Delay(WireModel):
    """How long after the previous step was executed."""

    value: int
    unit: DelayUnit

    def duration(self) -> timedelta:
        """Return the delay as a time span."""
        return timedelta(**{f"{self.unit}s": self.value})


class Policy(WireModel):
    """What to do when a step cannot simply go out."""

    skip_step_if_no_contact: bool = False
    auto_validate_ai_draft: Annotated[bool, Field(alias="autoValidateAIDraft")] = False
    invite_timeout_days: int | None = None


class StepConfig(WireModel):
    """Who sends this step, where it is not the sequence's sender."""

    user_id: str | None = None


class Step(WireModel):
    """One touch: channel, text, timing and policy."""

    id: str
    name: str
    type: Channel
    linked_in_type: LinkedInType | None = None
    content: str
    subject: str | None = None
    temporality_type: Temporality
    delay: Delay | None = None
    content_source: ContentSource = ContentSource.MANUAL
    config: StepConfig | None = None
    policy: Policy = Field(default_factory=Policy)

    @property
    def is_invitation(self) -> bool:
        """Whether this step asks for a LinkedIn connection."""
        return self.linked_in_type in INVITATIONS

    @property
    def is_written_per_contact(self) -> bool:
        """Whether each contact gets a text of their own instead of the template."""
        return self.content_source is ContentSource.SUGGESTED


class Sourcing(WireModel):
    """What is being filled; ``id`` is the one it has at Kalent."""

    id: str | None = None
    job_title: str | None = None
    location: str | None = None


class Blueprint(WireModel):
    """One immutable version of an ordered list of steps."""

    id: str
    name: str
    version: int
    steps: tuple[Step, ...]
    sourcing: Sourcing
    created_at: datetime
