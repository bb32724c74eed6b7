"""From a refused or broken call to our error: what every vendor's statuses mean, and what to do next.

A vendor's own words are data: they are quoted in ``data`` and never become part of a sentence of ours.
"""

from __future__ import annotations

from typing import Any

from sequences_mcp.errors import (
    NotFoundError,
    OutcomeUnknownError,
    PlanUpgradeError,
    ProviderConflictError,
    ProviderForbiddenError,
    ProviderRejectedError,
    ProviderUnauthorizedError,
    ProviderUnavailableError,
    RateLimitedError,
    SequencesError,
    UnexpectedAnswerError,
)
from sequences_mcp.providers.vendor import Refusal, Request, Vendor, Words


def explained(refusal: Refusal) -> SequencesError:
    """Return our error for an answer that is not a 2xx: the vendor's own reading of it first, else by status."""
    return refusal.vendor.explain(refusal) or _by_status(refusal)


def made(
    kind: type[SequencesError], refusal: Refusal, message: str, *, next_step: str, link: str | None = None
) -> SequencesError:
    """Return an error of a kind that carries what the vendor said as data; ``link`` is where a person mends it."""
    known = facts(refusal)
    return kind(message, next_step=next_step, data={**known, "link": link} if link else known)


def facts(refusal: Refusal) -> dict[str, Any]:
    """Return what is known of a refusal, without what is not."""
    known = {
        **said(refusal.vendor, refusal.words),
        "vendor_status": refusal.status,
        "retry_after": refusal.retry_after,
    }
    return {name: value for name, value in known.items() if value is not None}


def said(vendor: Vendor, words: Words) -> dict[str, Any]:
    """Return a vendor's words as data."""
    return {
        "provider": vendor.name,
        "vendor_code": words.code,
        "vendor_detail": words.detail,
        "vendor_message": words.message,
        "vendor_data": dict(words.more) or None,
        "request_id": words.request_id,
    }


def unknown(
    vendor: Vendor, request: Request, why: str, *, words: Words | None = None, status: int | None, attempts: int
) -> OutcomeUnknownError:
    """Return the error for a write that may have been carried out; ``cause`` is what the last answer means."""
    last = Refusal(vendor=vendor, request=request, status=status or 0, words=words or Words())
    meant = vendor.explain(last) if status and words else None
    data = {
        **said(vendor, last.words),
        "something_may_have_happened": True,
        "safe_to_call_again": False,
        "why": why,
        "cause": meant.message if meant else None,
        "vendor_status": status,
        "attempts": attempts,
    }
    return OutcomeUnknownError(
        f"OUTCOME UNKNOWN: {vendor.title} may or may not have carried out the request to {request.what}.",
        next_step=f"Do not call this again. {request.read_back}",
        data={name: value for name, value in data.items() if value is not None},
    )


def _by_status(refusal: Refusal) -> SequencesError:
    status = refusal.status
    if status >= 500:
        return made(ProviderUnavailableError, refusal, _sentence(refusal, "could not"), next_step=_LATER)
    if status < 400:
        return _redirected(refusal)
    known = {
        401: _unauthorized,
        402: _plan,
        403: _forbidden,
        404: _not_found,
        409: _conflict,
        429: _rate_limited,
    }
    return known.get(status, _rejected)(refusal)


_LATER = "Nothing was done. Try again in a few minutes; the vendor's status page may know more."


def _sentence(refusal: Refusal, verb: str) -> str:
    return f"{refusal.vendor.title} {verb} {refusal.request.what} (HTTP {refusal.status})."


def _redirected(refusal: Refusal) -> SequencesError:
    vendor = refusal.vendor
    return made(
        UnexpectedAnswerError,
        refusal,
        f"{vendor.title} answered with a redirect (HTTP {refusal.status}), which is never followed.",
        next_step=f"Check {vendor.url_setting}: the documented base URL is {vendor.base_url}.",
    )


def _unauthorized(refusal: Refusal) -> SequencesError:
    vendor = refusal.vendor
    return made(
        ProviderUnauthorizedError,
        refusal,
        f"{vendor.title} does not accept the API key.",
        next_step=f"Put a valid key into {vendor.key_setting} in the client's configuration and restart it.",
    )


def _plan(refusal: Refusal) -> SequencesError:
    return made(
        PlanUpgradeError,
        refusal,
        f"The {refusal.vendor.title} plan of this account does not allow it to {refusal.request.what}.",
        next_step=f"A person with access to billing at {refusal.vendor.title} can change the plan.",
    )


def _forbidden(refusal: Refusal) -> SequencesError:
    vendor = refusal.vendor
    if refusal.request.scope is None:
        return made(
            ProviderForbiddenError,
            refusal,
            _sentence(refusal, "does not allow this key to"),
            next_step=f"Check in {vendor.title} what the user of this key may do.",
        )
    message, next_step = lacks_scope(vendor, refusal.request)
    data = {**facts(refusal), "missing_scope": refusal.request.scope}
    return ProviderForbiddenError(message, next_step=next_step, data=data)


def lacks_scope(vendor: Vendor, request: Request) -> tuple[str, str]:
    """Return what a key without the request's scope cannot do, and what to do next."""
    scope = request.scope
    return (
        f"The {vendor.title} key may not {request.what}: it lacks the scope `{scope}`.",
        f"Make a {vendor.title} key with the scope `{scope}` and put it into {vendor.key_setting}.",
    )


def _not_found(refusal: Refusal) -> SequencesError:
    vendor = refusal.vendor
    hint = "" if refusal.words.code else f" If every call says so, check {vendor.url_setting}."
    return made(
        NotFoundError,
        refusal,
        f"{vendor.title} has nothing with this id in the workspace of this key (to {refusal.request.what}).",
        next_step=f"Look the id up again with the tool that lists such ids.{hint}",
    )


def _conflict(refusal: Refusal) -> SequencesError:
    return made(
        ProviderConflictError,
        refusal,
        _sentence(refusal, "did not"),
        next_step="Read its present state first, then decide; the same call would meet the same conflict.",
    )


def _rate_limited(refusal: Refusal) -> SequencesError:
    wait = refusal.retry_after or 60
    return made(
        RateLimitedError,
        refusal,
        _sentence(refusal, "has had too many requests and did not"),
        next_step=f"Nothing was done. Try again in {wait:.0f} seconds.",
    )


def _rejected(refusal: Refusal) -> SequencesError:
    return made(
        ProviderRejectedError,
        refusal,
        _sentence(refusal, "refused the request to"),
        next_step="Nothing was done. `vendor_message` quotes the reason; the same request would meet it again.",
    )
