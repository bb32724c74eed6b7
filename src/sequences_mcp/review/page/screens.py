"""The routes that need a session: one list of method, path and screen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from starlette.responses import Response

from sequences_mcp.review.page import blueprints, campaigns, exchange, keys, people, plans, runs, texts
from sequences_mcp.review.page.request import PageRequest

Screen: TypeAlias = Callable[[PageRequest], Awaitable[Response]]

SCREENS: tuple[tuple[str, str, Screen], ...] = (
    ("GET", "/", campaigns.front_screen),
    ("GET", "/campaigns", campaigns.campaigns_screen),
    ("GET", "/campaigns/{blueprint}", campaigns.campaign_screen),
    ("POST", "/campaigns/{blueprint}/retry", campaigns.retry_form),
    ("POST", "/pause-all", campaigns.pause_all_form),
    ("POST", "/resume-all", campaigns.resume_all_form),
    ("GET", "/search", campaigns.search_screen),
    ("GET", "/contacts/{contact}", campaigns.contact_screen),
    ("GET", "/blueprints", campaigns.blueprints_screen),
    ("GET", "/blueprints/{blueprint}", campaigns.blueprint_screen),
    ("GET", "/blueprints/{blueprint}/file", blueprints.download_screen),
    ("POST", "/blueprints/{blueprint}/archive", blueprints.archive_form),
    ("GET", "/import-blueprint", blueprints.paste_screen),
    ("POST", "/import-blueprint", blueprints.paste_form),
    ("GET", "/settings", campaigns.settings_screen),
    *exchange.SCREENS,
    ("POST", "/lock", keys.lock_form),
    ("GET", "/plans/{plan}", plans.plan_screen),
    ("POST", "/plans/{plan}/approve", plans.approve_plan_form),
    ("POST", "/plans/{plan}/refuse", plans.reject_plan_form),
    ("POST", "/plans/{plan}/renew", plans.renew_plan_form),
    ("GET", "/plans/{plan}/sample", people.sample_screen),
    ("GET", "/plans/{plan}/unread", people.unread_screen),
    ("GET", "/plans/{plan}/texts", texts.plan_texts_screen),
    ("GET", "/plans/{plan}/people/{sequence}", plans.person_screen),
    ("POST", "/plans/{plan}/people/{sequence}/refuse", people.reject_person_form),
    ("POST", "/plans/{plan}/take-out", people.reject_people_form),
    ("GET", "/changes/{change}", plans.change_screen),
    ("POST", "/changes/{change}/approve", plans.approve_change_form),
    ("POST", "/changes/{change}/refuse", plans.reject_change_form),
    ("GET", "/texts/{draft}", texts.text_screen),
    ("POST", "/texts/{draft}", texts.save_text_form),
    ("POST", "/texts/{draft}/check", texts.check_text_form),
    ("POST", "/texts/{draft}/approve", texts.approve_text_form),
    ("POST", "/texts/{draft}/resolve", texts.resolve_text_form),
    ("GET", "/sequences", runs.runs_screen),
    ("GET", "/sequences/{sequence}", runs.run_screen),
    ("POST", "/sequences/{sequence}/pause", runs.pause_form),
    ("POST", "/sequences/{sequence}/resume", runs.resume_form),
    ("POST", "/sequences/{sequence}/stop", runs.stop_form),
    ("POST", "/sequences/{sequence}/reply", runs.reply_form),
    ("GET", "/replies", runs.replies_screen),
    ("POST", "/replies/{reply}/decide", runs.decide_reply_form),
    ("GET", "/tasks", runs.tasks_screen),
    ("POST", "/tasks/{task}", runs.complete_task_form),
    ("GET", "/mails", runs.mails_screen),
    ("GET", "/suppressions", runs.suppressions_screen),
    ("POST", "/suppressions", runs.suppress_form),
    ("POST", "/suppressions/lift", runs.lift_form),
    ("GET", "/audit", runs.audit_screen),
    ("GET", "/passkeys", keys.keys_screen),
    ("POST", "/passkeys/begin", keys.begin_registration),
    ("POST", "/passkeys", keys.finish_registration),
)
