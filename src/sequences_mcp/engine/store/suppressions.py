"""The list of those who must never be contacted again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TypeAlias

from sequences_mcp.domain.contact import ContactFields, company_domain_of, domain_of, email_key
from sequences_mcp.engine.store.database import Store
from sequences_mcp.engine.store.instants import to_micros

Mark: TypeAlias = tuple[str, str]
"""A kind and a normalised value: ("domain", "acme.com")."""


def add(store: Store, mark: Mark, *, reason: str, actor: str, now: datetime) -> bool:
    """Put it on the list; False when it is there already."""
    kind, value = mark
    added = store.write(
        "suppressions.insert", kind=kind, value=value, reason=reason, actor=actor, created_at=to_micros(now)
    )
    return added == 1


def matching(store: Store, marks: Iterable[Mark]) -> dict[Mark, str]:
    """Return the reasons of those marks that are on the list."""
    rows = store.rows("suppressions.matching", wanted=json.dumps(list(dict.fromkeys(marks))))
    return {(row["kind"], row["value"]): row["reason"] for row in rows}


def marks_of(contact_id: str, facts: ContactFields, *, recipient: str | None = None) -> Iterator[Mark]:
    """Yield every mark that would cover a person, or an address that is about to be written to."""
    yield ("contact", contact_id)
    given = {email_key(address) for address in (facts.email, recipient) if address and "@" in address}
    addresses = {one for address in given for one in _spelled(address)}
    for address in sorted(addresses):
        yield ("address", address)
    hosts = {domain_of(address) for address in addresses} | set(_spelled(company_domain_of(facts) or ""))
    for host in sorted(filter(None, hosts)):
        labels = host.split(".")
        for start in range(len(labels)):
            yield ("domain", ".".join(labels[start:]))


def _spelled(address: str) -> Iterator[str]:
    """Yield an address or a domain, and the same with its domain in the other form of RFC 3492."""
    yield address
    local, at, host = address.rpartition("@")
    try:
        other = host.encode().decode("idna") if "xn--" in host else host.encode("idna").decode()
    except UnicodeError:
        return
    yield f"{local}{at}{other}"
