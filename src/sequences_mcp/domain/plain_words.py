"""Rewords messages that were written for a model: tools are replaced by what a person uses in their place.

Errors and reasons are stored once, with names of tools in them; page, panel and terminal show them through here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from sequences_mcp.domain.addresses import with_wire_forms
from sequences_mcp.domain.invisible import draw

ASSISTANT = "your assistant"
SAID = {
    "list_providers": "sequences-mcp doctor",
    "list_reviews": "the review page",
    "list_sequences": "the review page, under Sequences,",
    "get_sequence": "the review page, under Sequences,",
    "list_tasks": "the review page, under Tasks,",
    "complete_task": "the review page, under Tasks,",
    "edit_draft": "the page of the text",
    "start_sequence": "a new start",
    "stop_sequence": "Stop, on the page of the run,",
    "pause_sequence": "Pause, on the page of the run,",
    "resume_sequence": "Go on, on the page of the run,",
    "suppress_contact": "the review page, under Never contact,",
    "check_operation": ASSISTANT,
    "withdraw_plan": "Reject, on the page of the plan,",
    "show_plan": "the page of the plan",
    "decide_plan": "the page of the plan",
    "list_blueprints": "the review page, under Blueprints,",
    "get_blueprint": ASSISTANT,
    "check_blueprint": ASSISTANT,
    "create_blueprint": ASSISTANT,
    "update_blueprint": ASSISTANT,
    "preview_sequence": ASSISTANT,
    "find_contacts": "the search of the review page",
    "save_contacts": ASSISTANT,
    "import_contacts": "sequences-mcp import",
    "export_data": "sequences-mcp export",
    "export_contact": "sequences-mcp export-contact",
    "erase_contact": "sequences-mcp erase",
    "update_sequence": ASSISTANT,
    "list_sourcings": ASSISTANT,
    "record_reply": ASSISTANT,
    "list_replies": "the review page, under Replies,",
    "draft_reply": ASSISTANT,
    "retry_failed": ASSISTANT,
}
"""Each tool, and what a person who has the review page uses in its place."""
_PAGE = "the review page (sequences-mcp review --open)"
_AT_TERMINAL = SAID | {
    "list_blueprints": "sequences-mcp blueprints list",
    "list_reviews": "sequences-mcp review list",
    "withdraw_plan": "sequences-mcp review reject",
    "suppress_contact": "sequences-mcp review suppress",
    "show_plan": "sequences-mcp review show",
    "decide_plan": "sequences-mcp review approve",
    "list_sequences": f"{_PAGE}, under Sequences,",
    "get_sequence": f"{_PAGE}, under Sequences,",
    "list_tasks": f"{_PAGE}, under Tasks,",
    "list_replies": f"{_PAGE}, under Replies,",
    "complete_task": f"{_PAGE}, under Tasks,",
    "edit_draft": _PAGE,
    "stop_sequence": f"{_PAGE}, on the page of the run,",
    "pause_sequence": f"{_PAGE}, on the page of the run,",
    "resume_sequence": f"{_PAGE}, on the page of the run,",
}


STATUSES = {
    "FOUND": "waits for approval",
    "ACTIVE": "under way",
    "WAITING_FOR_USER": "waits for a person",
    "WAITING_FOR_LEAD": "paused",
    "COMPLETED": "all steps are over",
    "SUCCEEDED": "they replied",
    "FAILED": "failed",
    "STOPPED_EARLY": "stopped",
    "REFUSED": "rejected",
}
"""Each status of a run, in words for a person."""
_STATUS = re.compile(rf"\bstatus ({'|'.join(STATUSES)})\b")
STEP_STATES = {
    "planned": "to come",
    "held": "held",
    "claimed": "being sent",
    "handed_over": "being sent",
    "sent": "sent",
    "unknown": "unknown whether it was sent",
    "failed": "failed",
    "open": "a task for you",
    "done": "done",
    "skipped": "skipped",
    "cancelled": "will not be sent",
}
"""Each state of a step, in words for a person."""
_SEVERAL = {"FOUND": "wait for approval", "WAITING_FOR_USER": "wait for a person"}
_OF_THEM = {"COMPLETED": "with all steps over", "SUCCEEDED": "replied"}


def counted_status(status: str, number: int) -> str:
    """Return how many runs have a status, in words: ``12 wait for approval``."""
    several = _SEVERAL if number != 1 else {}
    return f"{number:,} {several.get(status) or _OF_THEM.get(status) or STATUSES[status]}"


def detail_in_words(name: str, value: Any) -> str:
    """Return one detail of a row of the audit in words; a change is written ``before → after``."""
    words = {"status": STATUSES, "state": STEP_STATES}.get(name)
    if words is not None and isinstance(value, list):
        return " → ".join("new" if code is None else words.get(code, str(code)) for code in value)
    if isinstance(value, list):
        return "; ".join(detail_in_words("", item) for item in value) or "none"
    if isinstance(value, Mapping):
        facts = [(key, fact) for key, fact in value.items() if key != "id"]
        rest = [f"{key.replace('_', ' ')} {detail_in_words(key, fact)}" for key, fact in facts]
        return ": ".join(filter(None, (str(value.get("id", "")), ", ".join(rest))))
    if isinstance(value, bool) or value is None:
        return "none" if value is None else ("yes" if value else "no")
    return words.get(value, value) if words is not None and isinstance(value, str) else str(value)


def for_person(text: str) -> str:
    """Return the text without names of tools and codes of statuses, for a reader of the page or the panel."""
    return _without_tool_names(text, SAID, "on the page of the text")


def for_terminal(text: str) -> str:
    """Return the text without names of tools, which commands replace, and codes of statuses, for a terminal."""
    return _without_tool_names(text, _AT_TERMINAL, f"on {_PAGE}")


def _without_tool_names(text: str, replacements: Mapping[str, str], editing: str) -> str:
    text = _STATUS.sub(lambda match: f'status "{STATUSES[match[1]]}"', text)
    if "_" not in text:
        return text
    called, named, dangling = _patterns()
    text = text.replace("with edit_draft", editing).replace(" with another idempotency_key", "")
    text = called.sub(_ask_again, text)
    text = named.sub(lambda match: _replacement(text, match, replacements), text)
    return dangling.sub(r"\1", text)


def _replacement(text: str, match: re.Match[str], replacements: Mapping[str, str]) -> str:
    words = replacements[match[1]]
    before = text[: match.start()].rstrip()
    starts = not before or before[-1] in ".!?"
    is_sentence = " " in words and not words.startswith("sequences-mcp")
    return words[0].upper() + words[1:] if starts and is_sentence else words


def _ask_again(match: re.Match[str]) -> str:
    ask = "Ask your assistant" if match[0][0] == "C" else "ask your assistant"
    return f"{ask} to try again" if match[1] else ask


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    names = "|".join(sorted(SAID, key=len, reverse=True))
    called = re.compile(rf"\b[Cc]all `?(?:{names})`?( again)?")
    named = re.compile(rf"(?<![\w.])`?\b({names})\b`?(?:\s*\{{[^{{}}]*\}})?")
    return called, named, re.compile(r",(?=[.;:!?)]|$)()")


def as_shown(text: str, *, keep: str = "\n") -> str:
    """Return the text with invisible characters drawn, and domains that are not ASCII also in their xn-- form."""
    return with_wire_forms(draw(text, keep=keep))
