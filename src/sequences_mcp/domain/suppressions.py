"""Under which names the list of those who must never be contacted may know somebody."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from sequences_mcp.domain.addresses import address_key, host_key, shown_host
from sequences_mcp.domain.companies import company_domain_of
from sequences_mcp.domain.contact import ContactFields

SuppressionKey: TypeAlias = tuple[str, str]
"""A kind and a normalised value: ("domain", "acme.com")."""


def suppression_keys_of(
    contact_id: str, facts: ContactFields, *, recipient: str | None = None
) -> Iterator[SuppressionKey]:
    """Yield every key that would cover a person, or an address that is about to be written to."""
    yield ("contact", contact_id)
    keys = {address_key(address) for address in _addresses(facts, recipient)}
    hosts = {key.rpartition("@")[2] for key in keys} | {company_domain_of(facts) or ""}
    yield from _marks(keys, hosts)


def former_keys_of(facts: ContactFields, *, recipient: str | None = None) -> Iterator[SuppressionKey]:
    """Yield the keys under which versions before migration 7 would have listed a person, where they differ.

    Those folded letters like ß away and left a domain as it was given or made it IDNA 2003.
    """
    given = [
        address for address in _addresses(facts, recipient) if not address.isascii() or "xn--" in address.lower()
    ]
    company = company_domain_of(facts) or ""
    if given or "xn--" in company:
        spelled = {item for address in given for item in _as_before(address)}
        hosts = {item.rpartition("@")[2] for item in spelled} | set(_as_before(company))
        yield from _marks(spelled, hosts)


def old_spellings(key: SuppressionKey) -> list[SuppressionKey]:
    """Return how versions before migration 7 may have listed the same."""
    kind, value = key
    return (
        [] if kind == "contact" else [(kind, item) for item in dict.fromkeys(_as_before(value)) if item != value]
    )


def _marks(keys: Iterable[str], hosts: Iterable[str]) -> Iterator[SuppressionKey]:
    for key in sorted(keys):
        yield ("address", key)
    for host in sorted(filter(None, hosts)):
        labels = host.split(".")
        for start in range(len(labels)):
            yield ("domain", ".".join(labels[start:]))


def _addresses(facts: ContactFields, recipient: str | None) -> list[str]:
    return [address for address in (facts.email, recipient) if address and "@" in address]


def _as_before(address: str) -> Iterator[str]:
    """Yield the spellings that earlier versions may have listed an address or a domain in."""
    local, at, host = address.rpartition("@")
    for shown in {host, shown_host(host_key(host))}:
        folded = unicodedata.normalize("NFC", f"{local}{at}{shown}").casefold()
        yield folded
        name, _, domain = folded.rpartition("@")
        try:
            yield f"{name}{at}{domain.encode('idna').decode()}"
        except UnicodeError:
            continue
