"""Two people for one approval: the first yes is kept, and counts with the second, of exactly the same digest.

Each of the two has signed in, and neither is the person on whose behalf it was planned or written. The first yes
is an approval of its own, of the subject ``first of ID`` and the same digest: a change of what is approved has
another digest, so that the first yes goes with it.
"""

from __future__ import annotations

from collections.abc import Iterable

from sequences_mcp.domain.actors import AUTO_APPROVE, Actor, ActorKind
from sequences_mcp.engine.approvals import HALF
from sequences_mcp.engine.context import EngineContext
from sequences_mcp.errors import ApprovalError, ApprovalPendingError
from sequences_mcp.store.unit_of_work import Repositories, UnitOfWork

TWO = 2
ONE_ALONE = "two people have to approve it, and one has"


def first_of(subject: str) -> str:
    """Return the subject of the first of two approvals."""
    return f"first of {subject}"


def half_approved(actor: Actor) -> str:
    """Return in words that one of two people has approved."""
    return f"{HALF}: {actor}"


def still_pending(actor: Actor) -> ApprovalPendingError:
    """Return what is told to whoever gave the first of two approvals."""
    return ApprovalPendingError(
        f"{half_approved(actor)}. Nothing leaves before somebody else has too.",
        next_step="Another approver opens it on the review page.",
    )


def keep_first(
    engine: EngineContext,
    work: UnitOfWork,
    subject: str,
    *,
    digest: str,
    actor: Actor,
    signature: str | None,
    authors: Iterable[Actor],
) -> bool:
    """Keep the first of two approvals; say whether this was one. False: it is the second, or one is enough.

    Raises ApprovalError for somebody who has not signed in, asked for it themselves, or gave the first already.
    """
    if engine.approvers < TWO or actor == AUTO_APPROVE:
        return False
    if not actor.subject or actor.kind is not ActorKind.PERSON:
        raise ApprovalError(
            "Two people have to approve this, each signed in on the review page.",
            next_step="Open the review page under its own name, and sign in there.",
        )
    if actor.subject in {author.subject for author in authors}:
        raise ApprovalError(
            "Whoever asked for this cannot be one of the two who approve it.",
            next_step="Two other approvers decide about it.",
        )
    before = {first.subject for first in work.approvals.actors(first_of(subject), digest=digest)}
    if actor.subject in before:
        raise ApprovalError(
            "You have approved this already; it waits for somebody else.",
            next_step="Another approver opens it on the review page.",
        )
    if before:
        return False
    engine.require_signature(digest, signature)
    now = engine.clock()
    work.approvals.record(first_of(subject), digest=digest, actor=actor, signature=signature, now=now)
    work.audit.record(at=now, actor=actor, action="approval.first", subject=subject, detail={"digest": digest})
    return True


def lacking_because(store: Repositories, subject: str, *, digest: str, approvers: int) -> str | None:
    """Return that an approval lacks its other half, where two people have to approve; or None."""
    if approvers < TWO:
        return None
    firsts = {actor.subject for actor in store.approvals.actors(first_of(subject), digest=digest)}
    seconds = {actor.subject for actor in store.approvals.actors(subject, digest=digest)}
    is_whole = any(first != second for first in firsts for second in seconds if first and second)
    return None if is_whole else ONE_ALONE


def lacking_text_because(store: Repositories, subject: str, *, text: bytes, approvers: int) -> str | None:
    """Return that no approval of one text by itself, or of sending it again, is by two people; or None."""
    if approvers < TWO:
        return None
    given = store.approvals.of_text(subject, text=text)
    whys = [lacking_because(store, subject, digest=approval.digest, approvers=approvers) for approval in given]
    return None if None in whys else ONE_ALONE


def authors_of(work: Repositories, subject: str, *, actions: Iterable[str], change: str = "") -> list[Actor]:
    """Return who did one of these things to a subject; of a ``change`` only where it was about that one."""
    wanted = frozenset(actions)
    return [
        row.actor
        for row in work.audit.entries(subject=subject)
        if row.action in wanted and (not change or row.detail.get("change") == change)
    ]


def planned_by(work: Repositories, plan_id: str) -> list[Actor]:
    """Return on whose behalf a plan was made."""
    return authors_of(work, plan_id, actions=("plan.opened",))


def written_by(work: Repositories, *, plan_id: str, sequence_id: str) -> list[Actor]:
    """Return on whose behalf a person's texts were planned, and who wrote them anew."""
    return [*planned_by(work, plan_id), *authors_of(work, sequence_id, actions=("sequence.rewritten",))]


def asked_by(work: Repositories, *, subject: str, change_id: str) -> list[Actor]:
    """Return on whose behalf a change was asked for."""
    return authors_of(work, subject, actions=("change.asked",), change=change_id)
