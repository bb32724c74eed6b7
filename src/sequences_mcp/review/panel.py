"""A plan in a panel inside a chat (MCP Apps), approved with a proof of the passphrase.

No result of a tool contains what could approve: the model sees a challenge, and the proof that answers it needs
the passphrase, which is typed into the panel and never leaves it. A proof is valid once, for one decision about
one digest. Challenges and what was read are in this process's memory.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from sequences_mcp.context import AppContext, Decision
from sequences_mcp.domain import actors
from sequences_mcp.domain.plain_words import for_person
from sequences_mcp.domain.plan import Plan, PlanStatus
from sequences_mcp.domain.run import Run
from sequences_mcp.domain.shown import DIGEST_PREFIX, MANY, Challenge, PanelRequest, PanelShown
from sequences_mcp.errors import ApprovalError, SequencesError
from sequences_mcp.planning.warnings import number_of_warnings
from sequences_mcp.ports.safekeeping import Safekeeping
from sequences_mcp.review import consent
from sequences_mcp.review.listing import BesideRequest, people_beside, people_wanted
from sequences_mcp.review.lock import passphrase
from sequences_mcp.review.lock.sessions import PANEL, Reading, Tries
from sequences_mcp.services.enrolment import enrol_soon
from sequences_mcp.services.reviews import approve_plan, refuse_plan

SIZE = 20
HAND_OVER_AT_MOST = 20.0  # seconds that the panel waits for an enrolment at a vendor, which goes on afterwards
LASTS = timedelta(minutes=30)
MOST = 32
ON_PAGE = "Approve it on the review page."
NOT_SET = "No passphrase has been chosen yet: sequences-mcp review set-passphrase, in a terminal."
SET_AGAIN = (
    "Your passphrase is kept in the way of an earlier version. Type it once on the review page or in a terminal: "
    "it is kept anew then, and can be given here too."
)
SIGNED = "Approvals are signed with your passkey, which is done on the review page."
REMOTE = "In a chat over the network nothing is approved:"
PAUSES_MOVED = "Since you read this plan, people of it have been paused or resumed, so other texts leave now:"
WRONG = "The passphrase is wrong, or this question was answered before."


class _PlanChallenge(NamedTuple):
    plan_id: str
    digest: str
    until: datetime


class ChatPanel:
    """Shows plans in panels of chats and takes decisions from them, for one process and workspace."""

    def __init__(
        self,
        safe: Safekeeping,
        clock: Callable[[], datetime],
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._safe = safe
        self._clock = clock
        self._pause = pause
        self._tries = Tries(safe, clock)
        self._one_at_a_time = asyncio.Lock()
        self._reading = Reading()
        self._challenges: dict[str, _PlanChallenge] = {}
        self._offered: dict[str, tuple[str, str]] = {}  # digest prefix -> (key, digest) of what was served
        # Plan digest -> who was paused when the plan was first shown. The panel's script loads the plan once more
        # right before it approves, without anybody reading that, so the state of the last load must not be taken
        # for what the person saw.
        self._pauses: dict[str, str] = {}

    async def show(self, app: AppContext, plan_id: str, *, seen: str = "", request: PanelRequest) -> PanelShown:
        """Return the people of a plan beside the exact texts of one of them.

        ``seen`` has the digest prefixes of what was on the screen, separated by commas. Only that counts as read:
        a text that was served need not have been scrolled to.
        """
        with _in_a_persons_words():
            return await self._shown(app, plan_id, seen=seen, request=request)

    async def decide(self, app: AppContext, plan_id: str, *, digest: str, decision: Decision, proof: str) -> Plan:
        """Reject a plan, or approve it with a proof of the passphrase; ApprovalError where the proof is wrong."""
        with _in_a_persons_words():
            return await self._decided(app, plan_id, digest=digest, decision=decision, proof=proof)

    async def _shown(self, app: AppContext, plan_id: str, *, seen: str, request: PanelRequest) -> PanelShown:
        plan = await app.plans.get_plan(plan_id)
        tally = await app.records.tally(plan.id)  # before the people are read: a change meanwhile is noticed
        self._pauses.setdefault(plan.digest, tally.pauses)
        self._reading.opened |= dict(
            self._offered[prefix] for prefix in seen.split(",") if prefix in self._offered
        )
        chosen = request.person or None
        if request == PanelRequest():
            _, chosen = await consent.next_unread(app, plan, self._reading)
        sending = app.sending_under(plan.header.terms)
        wanted = people_wanted(search=request.search, kind=request.show)
        beside = await people_beside(
            sending,
            plan,
            self._reading,
            request=BesideRequest(chosen, request.page, SIZE, wanted),
            shown=partial(self._offer, plan),
        )
        shown = await consent.show_plan_to(app, plan, reading=self._reading)
        elsewhere = self._elsewhere(app, plan)
        if shown.tally.live and (waits := app.waits_for_worker(plan)):
            elsewhere = f"{elsewhere} {for_person(waits)}"
        return PanelShown(
            shown=shown,
            beside=beside,
            challenge=None if elsewhere else self._challenge(plan),
            elsewhere=elsewhere,
        )

    async def _decided(
        self, app: AppContext, plan_id: str, *, digest: str, decision: Decision, proof: str
    ) -> Plan:
        if decision == "refuse":
            # Over the network nobody knows whether a person decided: it is taken back, by whoever called.
            actor = app.for_user(actors.WITHDRAW_PLAN) if app.place else actors.PANEL
            return await refuse_plan(app, plan_id=plan_id, reason="rejected in the chat's panel", actor=actor)
        plan = await app.plans.get_plan(plan_id)
        if app.place:
            raise ApprovalError(self._elsewhere(app, plan), next_step="Nothing was approved.")
        tally = await app.records.tally(plan.id)
        # The panel's script asks for the number of a large plan, which the proof signs too, and for the warnings.
        numbers = consent.StatedNumbers(tally.concerned, await number_of_warnings(app, plan))
        why = await consent.objection(app, plan, tally=tally, reading=self._reading, stated=numbers)
        if why:
            raise ApprovalError(why, next_step="Nothing was approved.")
        if (pauses := self._pauses.get(plan.digest, "")) != tally.pauses:
            self._pauses[plan.digest] = tally.pauses
            since = self._reading.seen.get(consent.state_shown(plan.digest, pauses), 0)
            moved = "; ".join(await consent.changes_since(app, plan, since))
            raise ApprovalError(f"{PAUSES_MOVED} {moved}.", next_step="Nothing was approved; read it again.")
        stated = str(tally.concerned) if tally.concerned > MANY else ""
        await self._require_proof(app, plan, proof, bound_to=(plan.id, digest, decision, stated))
        done = await approve_plan(app, plan_id=plan.id, digest=digest, actor=actors.PANEL, pauses=tally.pauses)
        if done.header.is_at_vendor:
            await enrol_soon(app, plan_id=done.id, seconds=HAND_OVER_AT_MOST)
        return done

    def _offer(self, plan: Plan, sequence: Run) -> None:
        self._reading.samples.setdefault(plan.id, set()).add(sequence.id)
        for key, digest in consent.parts_of(sequence):
            self._offered[digest[:DIGEST_PREFIX]] = (key, digest)

    def _elsewhere(self, app: AppContext, plan: Plan) -> str:
        """Return why this plan cannot be approved in a chat, or an empty string."""
        if plan.is_outdated:
            return "It cannot be approved, because its blueprint has changed. Reject it, and ask for a new one."
        if plan.status is PlanStatus.VOID:
            return "Its approval no longer holds; it is renewed on the review page, then read again."
        if plan.status is not PlanStatus.WAITING:
            return f"{plan.status.words.capitalize()}{f' by {plan.decided_by}' if plan.decided_by else ''}."
        if app.place:
            ways = app.ways_to_review(path=f"/plans/{plan.id}", command=f"approve {plan.id}")
            return f"{REMOTE} it is done {ways}."
        if app.must_sign():
            return SIGNED
        if not passphrase.is_set(self._safe):
            return NOT_SET
        return "" if passphrase.verifier(self._safe) else SET_AGAIN

    def _challenge(self, plan: Plan) -> Challenge | None:
        stored = passphrase.verifier(self._safe)
        if stored is None:
            return None
        verifier, derivation = stored
        now, nonce = self._clock(), secrets.token_hex(16)
        # Challenges that are too old, and all but the newest, are dropped.
        live = [(known, challenge) for known, challenge in self._challenges.items() if now < challenge.until]
        self._challenges = {**dict(live[-MOST + 1 :]), nonce: _PlanChallenge(plan.id, plan.digest, now + LASTS)}
        return Challenge(nonce, verifier.salt.hex(), derivation.words)

    async def _require_proof(self, app: AppContext, plan: Plan, text: str, *, bound_to: Iterable[str]) -> None:
        """Raise ApprovalError unless the passphrase is proven; the answer to a wrong proof is delayed.

        Wrong proofs never lock the panel: whoever can call the tool could otherwise keep the person out.
        """
        if app.must_sign():
            raise ApprovalError(SIGNED, next_step=ON_PAGE)
        async with self._one_at_a_time:
            if self._is_proven(plan, text, bound_to=bound_to):
                self._tries.was_right(PANEL)
                return
            self._tries.was_wrong(PANEL)
            await app.records.note("passphrase.wrong", actors.PANEL, one_after_another=self._tries.wrong(PANEL))
            await self._pause(self._tries.pause(PANEL))
        raise ApprovalError(WRONG, next_step="Nothing was approved; type it again.")

    def _is_proven(self, plan: Plan, text: str, *, bound_to: Iterable[str]) -> bool:
        try:
            given = passphrase.Proof.parse(text)
        except ValueError:
            return False
        # Also a wrong proof uses its challenge up.
        challenge = self._challenges.pop(given.nonce, None)
        stored = passphrase.verifier(self._safe)
        if challenge is None or stored is None or self._clock() >= challenge.until:
            return False
        is_its = (challenge.plan_id, challenge.digest) == (plan.id, plan.digest)
        return is_its and passphrase.accept_proof(self._safe, given, stored[0], bound_to=bound_to)


@contextmanager
def _in_a_persons_words() -> Iterator[None]:
    """Reword errors for a person: their sentences name tools, which only a model can call."""
    try:
        yield
    except SequencesError as error:
        error.message, error.next_step = for_person(error.message), for_person(error.next_step)
        raise
