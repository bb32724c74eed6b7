"""Every error of the product, in one tree.

SequencesError
├── RequestError                 the caller can mend it; nothing was done
│   ├── InvalidArgumentsError    invalid_arguments
│   ├── WrongIdError             wrong_id
│   ├── NotFoundError            not_found
│   ├── RefusedByGuardsError     refused_by_guards      carries the findings
│   ├── ConflictError            conflict               the state forbids it
│   │   ├── StaleVersionError    stale_version          carries the difference
│   │   └── KeyReusedError       key_reused             same idempotency key, other arguments
│   ├── ApprovalError            approval_refused       a person's approval is missing, void or not allowed
│   └── NotSupportedError        not_supported          the provider has no such operation
├── SettingsError                bad_settings           names every missing or bad value at once
├── StoreError                   store_failed           the database could not do it
│   ├── StoreBusyError           store_busy             retryable
│   │   └── StoreInterruptedError store_busy            the transaction was undone and can be done anew
│   ├── StoreUnwritableError     store_unwritable
│   ├── StoreTooNewError         store_too_new
│   └── StoreDamagedError        store_damaged
├── DeliveryError                one e-mail could not be delivered
│   ├── DeliveryDeferredError    delivery_deferred      nothing was accepted; it may be tried again
│   ├── DeliveryRejectedError    delivery_rejected      the server rejected it permanently
│   ├── DeliveryWithheldError    delivery_withheld      nothing was accepted; a person has to look at it first
│   └── DeliveryUnknownError     delivery_unknown       it may have been accepted; never resent by itself
├── InboxUnreadError             inbox_unread           retryable; the mailbox could not be read now
├── SignInError                  sign_in_failed         retryable; a mailbox has no access token now
└── ProviderError                a vendor's API did not do it
    ├── ProviderUnauthorizedError provider_unauthorized the key is missing, wrong or revoked
    ├── ProviderForbiddenError   provider_forbidden     the key may not; names the missing scope
    │   └── ChannelNotConnectedError channel_not_connected an account has to be connected at the vendor
    ├── PlanUpgradeError         plan_upgrade_required  the vendor's plan does not include it
    ├── InsufficientCreditsError insufficient_credits   the vendor's credits are used up
    ├── RateLimitedError         rate_limited           retryable; says how long to wait, where known
    ├── ProviderUnavailableError provider_unavailable   retryable; down or out of reach, nothing was changed
    ├── ProviderRejectedError    provider_rejected      the vendor found the request wrong
    ├── ProviderConflictError    provider_conflict      the vendor's present state does not allow it
    ├── UnexpectedAnswerError    unexpected_answer      not what the vendor documents, nothing was changed
    └── OutcomeUnknownError      outcome_unknown        it may have been done; never repeated by itself

Errors are raised deep and translated once, in ``server.boundary`` or in ``cli``. Every one ends in what to
do next: ``message`` is one sentence about what is wrong, ``next_step`` one about what to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Items
from typing import Any, ClassVar


class SequencesError(Exception):
    """Something went wrong and nothing was done."""

    code: ClassVar[str] = "failed"
    outcome: ClassVar[str] = "not_done"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, next_step: str, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step
        self.data: Mapping[str, Any] = data or {}

    def __str__(self) -> str:
        return f"{self.message} {self.next_step}"


def joined_error(errors: Items[SequencesError]) -> SequencesError:
    """Return one error, of the kind of the first, that says what each of these says and carries all their data."""
    if len(errors) == 1:
        return errors[0]
    data: dict[str, Any] = {}
    for error in errors:
        data = {**error.data, **data}
    return type(errors[0])(
        " ".join(error.message for error in errors),
        next_step=" ".join(dict.fromkeys(error.next_step for error in errors)),
        data=data,
    )


def error_facts(error: SequencesError) -> dict[str, Any]:
    """Return an error as values to store and to show: what is wrong, what to do, and the facts that are known."""
    facts = {
        "code": error.code,
        "message": error.message,
        "next": error.next_step,
        "retryable": error.retryable,
        **error.data,
    }
    return {name: value for name, value in facts.items() if value is not None}


class RequestError(SequencesError):
    """The request cannot be carried out as it stands."""

    outcome = "refused"


class InvalidArgumentsError(RequestError):
    """An argument is missing, unknown or of the wrong form."""

    code = "invalid_arguments"


class WrongIdError(RequestError):
    """An id is of another kind or provider than the one expected."""

    code = "wrong_id"


class NotFoundError(RequestError):
    """Nothing has this id."""

    code = "not_found"


class RefusedByGuardsError(RequestError):
    """A text or a blueprint breaks a rule that protects the people who would get it."""

    code = "refused_by_guards"


class ConflictError(RequestError):
    """The present state does not allow this."""

    code = "conflict"


class StaleVersionError(ConflictError):
    """Someone changed it since it was read."""

    code = "stale_version"


class KeyReusedError(ConflictError):
    """This idempotency key already belongs to a call with other arguments."""

    code = "key_reused"


class ApprovalError(RequestError):
    """A person's approval is missing, void, or cannot be given this way."""

    code = "approval_refused"


class ApprovalPendingError(ApprovalError):
    """A change was kept and waits for a person; nothing was changed yet."""

    code = "waiting_for_approval"
    outcome = "waiting_for_approval"


class NotSupportedError(RequestError):
    """This provider has no such operation."""

    code = "not_supported"


class SettingsError(SequencesError):
    """One or more settings are missing or bad."""

    code = "bad_settings"


class StoreError(SequencesError):
    """The database could not do it."""

    code = "store_failed"


class StoreBusyError(StoreError):
    """Another process held the database for too long."""

    code = "store_busy"
    retryable = True


class StoreInterruptedError(StoreBusyError):
    """The database undid the open transaction for another's sake, or lost the connection before its commit."""


class StoreUnwritableError(StoreError):
    """The data folder or the database file cannot be written."""

    code = "store_unwritable"


class StoreTooNewError(StoreError):
    """The database was written by a newer version of this program."""

    code = "store_too_new"


class StoreDamagedError(StoreError):
    """The database does not pass its own checks."""

    code = "store_damaged"


class ClockUnavailableError(SequencesError):
    """The server that keeps the clock does not answer."""

    code = "clock_unavailable"
    retryable = True


class DeliveryError(SequencesError):
    """One e-mail could not be delivered."""

    code = "delivery_failed"


class DeliveryDeferredError(DeliveryError):
    """Nothing was accepted; the same message may be tried again later."""

    code = "delivery_deferred"
    retryable = True


class DeliveryRejectedError(DeliveryError):
    """The mail server refused the message for good."""

    code = "delivery_rejected"


class DeliveryWithheldError(DeliveryError):
    """Nothing was accepted, and it must not be tried again before a person has looked at it."""

    code = "delivery_withheld"


class DeliveryUnknownError(DeliveryError):
    """The message may have been accepted; nobody can tell without looking."""

    code = "delivery_unknown"
    outcome = "unknown"


class InboxUnreadError(SequencesError):
    """The mailbox could not be read now.

    ``data["why"]`` says why in this program's words, ``data["server_reply"]`` what the server said, and
    ``data["refused"]`` whether it refused the sign-in.
    """

    code = "inbox_unread"
    retryable = True


class SignInError(SequencesError):
    """A mailbox that signs in with OAuth has no access token now.

    ``data["again"]`` says that a person has to sign in again before there is one.
    """

    code = "sign_in_failed"
    retryable = True


class DraftUnknownError(SequencesError):
    """Whether a draft was put into the mailbox is not known: the connection was lost. The same call is safe."""

    code = "draft_unknown"
    outcome = "unknown"
    retryable = True


class ProviderError(SequencesError):
    """A vendor's API did not do what was asked.

    ``data`` holds what the vendor said, quoted and never in ``message`` or ``next_step``: ``provider``,
    ``vendor_status``, ``vendor_code``, ``vendor_message``, ``request_id``.
    """

    code = "provider_failed"


class ProviderUnauthorizedError(ProviderError):
    """The vendor does not accept the API key."""

    code = "provider_unauthorized"


class ProviderForbiddenError(ProviderError):
    """The API key may not do this."""

    code = "provider_forbidden"


class ChannelNotConnectedError(ProviderForbiddenError):
    """The vendor needs an account of the person's that is not connected, or not ready."""

    code = "channel_not_connected"


class PlanUpgradeError(ProviderError):
    """The vendor's plan does not include this."""

    code = "plan_upgrade_required"


class InsufficientCreditsError(ProviderError):
    """The vendor's credits for this are used up."""

    code = "insufficient_credits"


class RateLimitedError(ProviderError):
    """Too many requests for now; ``data["retry_after"]`` says for how many seconds, where known."""

    code = "rate_limited"
    retryable = True


class ProviderUnavailableError(ProviderError):
    """The vendor could not be reached or could not answer, and nothing was changed."""

    code = "provider_unavailable"
    retryable = True


class ProviderRejectedError(ProviderError):
    """The vendor found the request wrong."""

    code = "provider_rejected"


class ProviderConflictError(ProviderError):
    """The present state at the vendor does not allow this."""

    code = "provider_conflict"


class UnexpectedAnswerError(ProviderError):
    """The answer is not what the vendor documents, and nothing was changed."""

    code = "unexpected_answer"


class OutcomeUnknownError(ProviderError):
    """The request may have been carried out; nobody can tell without looking.

    ``data["safe_to_call_again"]`` is False; ``next_step`` says where to look.
    """

    code = "outcome_unknown"
    outcome = "unknown"
