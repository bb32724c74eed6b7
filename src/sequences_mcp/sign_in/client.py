"""The operator's own OAuth client at Microsoft or Google, and where its requests go.

Plain OAuth for both, with one set of files, locks and states. Microsoft's own library (msal) takes no authority
but ``https``, keeps its tokens in a cache of its own, and would be a second way beside Google's.

- Microsoft: https://learn.microsoft.com/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth
- Google: https://developers.google.com/workspace/gmail/imap/xoauth2-protocol
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from sequences_mcp.domain.sender import Secret
from sequences_mcp.lazy_dataclasses import dataclass, field

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_OFFICE = "https://outlook.office.com"
_TENANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,199}")


class OAuthProvider(NamedTuple):
    """A provider's endpoints below its ``authority``, the scopes of its mail servers, and what its sign-in lasts.

    ``exchange_host`` is where it gives tokens, if that is another host; ``loopback`` the host of the address that
    its answer comes back to on this machine; ``lasts`` how long a sign-in holds, in words, where the provider does
    not say so in its answer.
    """

    title: str
    authority: str
    agree_path: str
    exchange_path: str
    exchange_host: str
    device_path: str
    scopes: str
    loopback: str
    lasts: str


PROVIDERS: Mapping[str, OAuthProvider] = {
    "microsoft": OAuthProvider(
        title="Microsoft",
        authority="https://login.microsoftonline.com",
        agree_path="/{tenant}/oauth2/v2.0/authorize",
        exchange_path="/{tenant}/oauth2/v2.0/token",
        exchange_host="",
        device_path="/{tenant}/oauth2/v2.0/devicecode",
        scopes=" ".join((f"{_OFFICE}/IMAP.AccessAsUser.All", f"{_OFFICE}/SMTP.Send", "offline_access")),
        loopback="localhost",
        lasts="until it is revoked, or after 90 days without use",
    ),
    "google": OAuthProvider(
        title="Google",
        authority="https://accounts.google.com",
        agree_path="/o/oauth2/v2/auth",
        exchange_path="/token",
        exchange_host="https://oauth2.googleapis.com",
        device_path="",  # Google gives no access to e-mail by a device code
        scopes="https://mail.google.com/",
        loopback="127.0.0.1",
        lasts="until it is revoked, or after six months without use; an app in testing, 7 days",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthRegistration:
    """A client that the operator registered at a provider.

    ``tenant`` is Microsoft's: an organisation, or ``common``, ``organizations``, ``consumers``. ``authority`` is
    in place of the provider's own address: another cloud of Microsoft's, or a server on loopback.
    """

    provider: str
    client_id: str
    client_secret: Secret | None = field(default=None, repr=False)
    tenant: str = "common"
    authority: str = ""

    @property
    def of(self) -> OAuthProvider:
        """The provider."""
        return PROVIDERS[self.provider]

    @property
    def token_url(self) -> str:
        """Where a code or a refresh token is given for an access token."""
        return self._url(self.of.exchange_path, "" if self.authority else self.of.exchange_host)

    @property
    def authorize_url(self) -> str:
        """The page on which a person agrees."""
        return self._url(self.of.agree_path)

    @property
    def device_url(self) -> str:
        """Where a device code is asked for; empty where the provider gives none for e-mail."""
        return self._url(self.of.device_path) if self.of.device_path else ""

    def _url(self, path: str, host: str = "") -> str:
        return (host or self.authority or self.of.authority) + path.format(tenant=self.tenant)

    @property
    def proof(self) -> dict[str, str]:
        """What a request to the provider says of the client."""
        secret = {"client_secret": self.client_secret.value} if self.client_secret else {}
        return {"client_id": self.client_id, **secret}


def checked_tenant(text: str) -> str:
    """Return a tenant as it may stand in an address; ValueError."""
    if not _TENANT.fullmatch(text):
        raise ValueError("it is not the name or id of a tenant, such as common, organizations or example.com")
    return text


def checked_authority(text: str) -> str:
    """Return the address of an authorization server without a slash at its end; ValueError."""
    parts = urlsplit(text)
    _ = parts.port  # ValueError for none
    if any(not "!" <= letter <= "~" for letter in text):
        raise ValueError("it has a space or a letter outside ASCII")
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    if not is_safe or not parts.hostname or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("it has to be the address of an authorization server: https, or http on loopback")
    return text.rstrip("/")
