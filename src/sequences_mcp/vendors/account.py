"""API keys and base URLs of vendors: what they must look like, and how a key is kept out of texts."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from sequences_mcp.domain.sender import Secret
from sequences_mcp.errors import SettingsError
from sequences_mcp.hosts import is_private
from sequences_mcp.vendors.description import VendorDescription

SHORTEST_SECRET = 8  # a shorter text would also be replaced inside ordinary words
REDACTED = "[key]"


def checked_base_url(text: str, *, setting: str) -> str:
    """Return a base URL without a slash at its end; SettingsError unless it is https, or http on loopback."""
    url = text.strip()
    try:
        parts = urlsplit(url)
        is_good = parts.port != 0 and _is_plain(parts) and url.isprintable() and is_private(parts)
    except ValueError:
        is_good = False
    if not is_good:
        raise SettingsError(
            f"{setting} is not an https URL of the form `https://api.example.com/v1`.",
            next_step=f"Correct {setting}, or remove it for the vendor's own address; http is for loopback only.",
            data={"problems": [f"{setting}: not an https URL"]},
        )
    return url.rstrip("/")


def _is_plain(parts: SplitResult) -> bool:
    return bool(parts.hostname) and not (parts.username or parts.password or parts.query or parts.fragment)


def checked_key(vendor: VendorDescription, key: Secret) -> Secret:
    """Return a key that can stand in a header; SettingsError, which does not show it, otherwise."""
    text = key.value
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise SettingsError(
            f"{vendor.key_setting} does not look like an API key: it is empty or has spaces or odd characters.",
            next_step=f"Copy the key from {vendor.title} again.",
            data={"problems": [f"{vendor.key_setting}: not an API key"]},
        )
    return key


def text_without(key: Secret, text: str) -> str:
    """Return a text in which the key, should a vendor have echoed it, is not shown."""
    return text.replace(key.value, REDACTED) if len(key.value) >= SHORTEST_SECRET else text


def json_without(key: Secret, value: object) -> object:
    """Return a JSON value in which the key is not shown, whatever escapes it was written with."""
    if isinstance(value, str):
        return text_without(key, value)
    if isinstance(value, list):
        return [json_without(key, item) for item in value]
    if isinstance(value, dict):
        return {json_without(key, name): json_without(key, item) for name, item in value.items()}
    return value
