"""``GET /sequences/enrollments/{id}``: live status, generated steps, what became of each.

Published: ``pending_approval``, and that a step has ``scheduled_for``. Every other name and word was chosen.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sequences_mcp.sandbox.clarky.envelope import single
from sequences_mcp.sandbox.rest.call import Call, Reply
from sequences_mcp.sandbox.rest.reading import optional_stamp, stamp
from sequences_mcp.sandbox.rest.refusal import NoSuch
from sequences_mcp.sandbox.world.clarky import Contact, Enrollment, pacing_for
from sequences_mcp.sandbox.world.run import Run

UNSENT = {"status": "draft", "scheduled_for": None, "sent_at": None}


def shown(call: Call) -> Reply:
    """Show one enrollment."""
    enrollment = call.world.clarky.enrollments.get(call.path["id"])
    if enrollment is None:
        raise NoSuch("Enrollment")
    return single(
        {
            "id": enrollment.id,
            "sequence_id": enrollment.sequence_id,
            "template_id": enrollment.template_id,
            "contact_id": enrollment.contact_id,
            "bot_id": enrollment.bot_id,
            "status": status_of(enrollment, call.now),
            "auto_approve": enrollment.auto_approve,
            "created_at": stamp(enrollment.created_at),
            "steps": _steps(call, enrollment),
        }
    )


def status_of(enrollment: Enrollment, now: datetime) -> str:
    """Return the word for where an enrollment is."""
    if enrollment.rejected:
        return "rejected"
    if enrollment.run is not None:
        return enrollment.run.state.value
    return "generating" if now < enrollment.generated_at else "pending_approval"


def _steps(call: Call, enrollment: Enrollment) -> list[dict[str, Any]]:
    """Return the texts, once they are generated, each with its send state."""
    if call.now < enrollment.generated_at:
        return []
    state = call.world.clarky
    contact, template = state.contacts[enrollment.contact_id], state.templates[enrollment.template_id]
    if enrollment.run is None:
        return [
            {**UNSENT, "id": f"{enrollment.id}_s{number}", **_text(channel, contact, template.goal)}
            for number, (_, channel) in enumerate(pacing_for(template, contact), start=1)
        ]
    texts = [_text(touch.kind, contact, template.goal) for touch in enrollment.run.touches]
    return [{**state, **text} for state, text in zip(_send_states(enrollment.run), texts, strict=True)]


def _send_states(run: Run) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        {"id": done.touch.id, "status": "sent", "scheduled_for": stamp(done.at), "sent_at": stamp(done.at)}
        for done in run.executed
    ]
    ahead = timedelta()
    for touch in run.touches[len(run.executed) :]:
        ahead += touch.wait
        due = None if run.is_over else run.anchor + ahead
        status = "cancelled" if run.is_over else "scheduled"
        rows.append({"id": touch.id, "status": status, "scheduled_for": optional_stamp(due), "sent_at": None})
    return rows


def _text(channel: str, contact: Contact, goal: str) -> dict[str, Any]:
    """Return a text as if it had been generated for this person."""
    greeting = f"Hello {contact.first_name}" if contact.first_name else "Hello"
    subject = goal if channel == "email" else None
    return {"channel": channel, "subject": subject, "body": f"{greeting}, {goal[0].lower()}{goal[1:]}?"}
