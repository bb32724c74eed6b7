"""What a person can look at and do: one list of method, path and screen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from starlette.responses import Response

from sequences_mcp.review.screens import books, changes, front, keys, people, plans, runs, texts, unlock
from sequences_mcp.review.visit import Visit

Screen: TypeAlias = Callable[[Visit], Awaitable[Response]]

SCREENS: tuple[tuple[str, str, Screen], ...] = (
    ("GET", "/", front.waiting),
    ("POST", "/lock", unlock.leave),
    ("GET", "/plans/{plan}", plans.plan),
    ("POST", "/plans/{plan}/approve", plans.approve),
    ("POST", "/plans/{plan}/refuse", plans.refuse),
    ("POST", "/plans/{plan}/renew", plans.renew),
    ("GET", "/plans/{plan}/sample", people.sample),
    ("GET", "/plans/{plan}/texts", texts.of_plan),
    ("GET", "/plans/{plan}/people/{sequence}", people.person),
    ("POST", "/plans/{plan}/people/{sequence}/refuse", people.refuse),
    ("GET", "/changes/{change}", changes.change),
    ("POST", "/changes/{change}/approve", changes.approve),
    ("POST", "/changes/{change}/refuse", changes.refuse),
    ("GET", "/texts/{draft}", texts.text),
    ("POST", "/texts/{draft}", texts.save),
    ("POST", "/texts/{draft}/check", texts.check),
    ("POST", "/texts/{draft}/approve", texts.approve),
    ("POST", "/texts/{draft}/settle", texts.settle),
    ("GET", "/sequences", runs.sequences),
    ("GET", "/sequences/{sequence}", runs.sequence),
    ("POST", "/sequences/{sequence}/pause", runs.pause),
    ("POST", "/sequences/{sequence}/resume", runs.resume),
    ("POST", "/sequences/{sequence}/stop", runs.stop),
    ("POST", "/sequences/{sequence}/reply", runs.reply),
    ("GET", "/tasks", runs.tasks),
    ("POST", "/tasks/{task}", runs.complete),
    ("GET", "/mails", books.mails),
    ("GET", "/suppressions", books.suppressions),
    ("POST", "/suppressions", books.suppress),
    ("POST", "/suppressions/lift", books.lift),
    ("GET", "/audit", books.audit),
    ("GET", "/passkeys", keys.keys),
    ("POST", "/passkeys/begin", keys.begin),
    ("POST", "/passkeys", keys.finish),
)
