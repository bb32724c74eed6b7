"""Why a call is not carried out. Each vendor puts these into its own envelope, codes and statuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Refused(Exception):  # noqa: N818 - an answer of the API, not a fault of the program
    """The vendor says no, with its own status and code."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        details: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details
        self.headers = headers or {}


class BadInput(Exception):  # noqa: N818 - an answer of the API, not a fault of the program
    """Something in the query or the body is wrong; without a field the request as a whole is malformed."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class NoSuch(Exception):  # noqa: N818 - an answer of the API, not a fault of the program
    """There is no such thing, or not for this key."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.message = f"{what} not found"
