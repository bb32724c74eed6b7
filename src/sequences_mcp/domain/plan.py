"""A plan: all that a start would do, for a person to approve; ``domain.digests`` says what that covers."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256

from sequences_mcp.domain.actors import Actor
from sequences_mcp.domain.digests import canonical
from sequences_mcp.domain.ids import LOCAL, UNVERSIONED, provider_of, version_told
from sequences_mcp.domain.pacing import MailThrottle
from sequences_mcp.lazy_dataclasses import asdict, dataclass, fields

OUTDATED = "the blueprint has a newer version than the plan's"
OUTBOX = "outbox"  # the delivery of terms under which e-mails become files and reach nobody


class PlanStatus(StrEnum):
    """Where a plan stands.

    ``drafting`` is still being written; ``waiting`` waits for a person; ``void`` was waiting or approved until
    something it covers changed; the others are final. ``withdrawn`` was taken back before anybody decided,
    ``closed`` has nobody left in it.
    """

    DRAFTING = "drafting"
    WAITING = "waiting"
    APPROVED = "approved"
    VOID = "void"
    REFUSED = "refused"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"

    @property
    def words(self) -> str:
        """What a person reads: a plan that was stored as refused is a rejected one."""
        return "rejected" if self is PlanStatus.REFUSED else self.value


LIFETIME = timedelta(hours=24)  # of a plan that nobody decides about

OPEN = frozenset({PlanStatus.WAITING, PlanStatus.VOID})
"""Statuses of plans that a person can still approve or reject."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The settings an approval covers: who sends, how, when and how much. A change voids the approval.

    ``delivery`` is ``outbox`` or the mail server as ``smtp://host:port``, never with credentials; ``spacing`` is
    in seconds; ``daily_cap`` counts e-mails of this sender in any 24 hours, ``ramp_up`` those of a new
    mailbox's first day; ``reply_to`` is where answers go, where that is not the sender's address;
    ``signature_picture`` the address of the picture that the HTML of e-mails ends with. A vendor has senders,
    times and limits of its own: then ``delivery`` is the address of its API, ``sender_name`` its name, and the
    rest is empty.
    """

    sender_address: str
    sender_name: str
    delivery: str
    window: str
    daily_cap: int
    spacing: int
    reply_to: str = ""
    ramp_up: int = 0
    signature_picture: str = ""

    @property
    def limits(self) -> MailThrottle:
        """What the mailbox may send."""
        return MailThrottle(daily_cap=self.daily_cap, spacing=self.spacing, ramp_up=self.ramp_up)

    @property
    def are_a_vendors(self) -> bool:
        """Whether a vendor decides who sends, when and how much."""
        # The sending window of a vendor's terms is always empty, that of our own never.
        return not self.window

    @property
    def text(self) -> str:
        """The canonical JSON of the terms, without fields at their default; the form in which they are stored."""
        return _terms_text(self)

    @property
    def fingerprint(self) -> str:
        """A fingerprint of the terms: the first 16 hexadecimal digits of the SHA-256 of ``text``."""
        return sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()[:16]

    def lacks(self, wanted: Terms, *, knows_server: bool) -> bool:
        """Say whether a process with these terms merely lacks the wanted settings, rather than having other ones.

        It lacks them where no sender is set, or no mail server although one is wanted. ``knows_server`` says that
        the delivery was set explicitly, the outbox included.
        """
        nowhere = wanted.delivery != OUTBOX and self.delivery == OUTBOX and not knows_server
        return not self.sender_address or nowhere

    def difference(self, other: Terms) -> str:
        """Return what differs, in words, or an empty string."""
        if self == other:
            return ""
        mine, theirs = asdict(self), asdict(other)
        return "; ".join(
            f"{name.replace('_', ' ')} was {mine[name]!r} and is now {theirs[name]!r}"
            for name in mine
            if mine[name] != theirs[name]
        )


@lru_cache(maxsize=256)
def _terms_text(terms: Terms) -> str:
    given = {field.name: getattr(terms, field.name) for field in fields(terms)}
    defaults = {field.name: field.default for field in fields(terms)}
    return canonical({name: value for name, value in given.items() if value != defaults[name]}).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanHeader:
    """The part of a plan that is about all of its people.

    ``warnings`` are those of the guards about everybody's texts, each as ``step: rule``: an approval covers them.
    """

    blueprint_id: str
    blueprint_version: int
    blueprint_name: str
    terms: Terms
    expires_at: datetime
    warnings: tuple[str, ...] = ()

    @property
    def version_told(self) -> int | None:
        """The blueprint's version, or None where its vendor has none."""
        return version_told(self.blueprint_id, self.blueprint_version)

    @property
    def provider(self) -> str:
        """The provider that executes the start: its blueprint's."""
        return provider_of(self.blueprint_id)

    @property
    def is_at_vendor(self) -> bool:
        """Whether a vendor executes the start."""
        return self.provider != LOCAL

    def is_allowed_by(self, allowed: frozenset[str]) -> bool:
        """Say whether the operator allowed beforehand that this version is started without a person."""
        return is_allowed(allowed, self.blueprint_id, version=self.blueprint_version)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A start that waits for approval, or has it.

    ``digest`` is hexadecimal and empty while drafting; ``digest_version`` is that of it and of the texts' digests.
    ``people`` is how many people an approval still concerns, without those who were taken out before a decision.
    ``missing_texts`` counts the texts that still have to be written, ``to_read`` those written per contact that a
    person must read one by one, ``warnings`` those about people.
    ``account`` stands for the account at a vendor, where the plan was made for one. ``is_nameless``: its blueprint
    is somebody else's alone, and whoever looks at the plan is not told which it is.
    """

    id: str
    status: PlanStatus
    header: PlanHeader
    people: int
    digest: str
    digest_version: int
    missing_texts: int
    to_read: int
    warnings: int
    created_at: datetime
    decided_at: datetime | None = None
    decided_by: Actor | None = None
    reason: str | None = None
    account: str = ""
    is_nameless: bool = False

    @property
    def is_outdated(self) -> bool:
        """Whether its blueprint has changed, so that nobody can approve or renew it."""
        return self.status is PlanStatus.VOID and self.reason == OUTDATED

    @property
    def settings(self) -> tuple[str, ...]:
        """The fingerprints of the settings it was made for: a worker with one of them may execute it."""
        return settings_fingerprints(self.header.provider, self.header.terms, account=self.account)[-1:]


def settings_fingerprints(provider: str, terms: Terms, *, account: str = "") -> tuple[str, ...]:
    """Return the fingerprints of settings that plans and workers compare; at a vendor also with the account."""
    if provider == LOCAL:
        return (terms.fingerprint,)
    of_vendor = f"{provider}:{terms.fingerprint}"
    return (of_vendor, f"{of_vendor}:{account}") if account else (of_vendor,)


def is_allowed(allowed: frozenset[str], blueprint_id: str, *, version: int) -> bool:
    """Say whether a blueprint's version is among those that the operator approved beforehand.

    Blueprints that can be changed from here are named as ``id@version``, a vendor's own templates by their id.
    """
    by_id = provider_of(blueprint_id) in UNVERSIONED and blueprint_id in allowed
    return by_id or f"{blueprint_id}@{version}" in allowed
