"""What a host or a URL tells by itself, with nothing looked up: whether it is this machine, whether TLS is spoken.

Mail servers, vendors, issuers of tokens and this server's own address are judged alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

if TYPE_CHECKING:
    import ssl


def is_loopback(host: str) -> bool:
    """Say whether a host, by its name or address, is this machine as only itself sees it."""
    if host == "localhost":
        return True
    import ipaddress

    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_private(parts: SplitResult) -> bool:
    """Say whether nobody on the way reads what is sent to a URL: it is https, or http to this machine."""
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))


def trust_without_tls(url: str) -> ssl.SSLContext | None:
    """Return a context that trusts nobody for a URL without TLS, and None for one with it.

    A client loads certificate authorities as it is made, whatever it is asked for, which takes 20 ms: this context
    has none. With TLS the client loads those that it is meant to trust.
    """
    if urlsplit(url).scheme != "http":
        return None
    import ssl

    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
