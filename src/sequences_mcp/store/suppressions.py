"""The list of those who must never be contacted again."""

from __future__ import annotations

import json
import logging
import sqlite3
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias

from sequences_mcp.domain.addresses import address_key, host_key, shown_host
from sequences_mcp.domain.companies import company_domain_of
from sequences_mcp.domain.contact import ContactFields
from sequences_mcp.store import journals
from sequences_mcp.store.database import Store
from sequences_mcp.store.statements import from_micros, to_micros

log = logging.getLogger(__name__)

SuppressionKey: TypeAlias = tuple[str, str]
"""A kind and a normalised value: ("domain", "acme.com")."""
ENGINE = "worker"  # the actor of what the engine concluded from a mail server's answer, nobody having asked


def add_suppression(store: Store, mark: SuppressionKey, *, reason: str, actor: str, now: datetime) -> bool:
    """Add a suppression to the list and to its journal; False when it is there already.

    What the engine put there by itself counts from then on as put there by whoever asks for it.
    """
    kind, value = mark
    own = {"kind": kind, "value": value, "reason": reason, "actor": actor}
    added = store.write("suppressions.insert", **own, created_at=to_micros(now))
    if not added:
        added = store.write("suppressions.adopt", **own, engine=ENGINE)
    if added:
        _note(store, mark, do="suppress", reason=reason, actor=actor, now=now)
    return added > 0


def of_engine(store: Store, mark: SuppressionKey) -> str | None:
    """Return why the engine itself added a suppression (a bounce, an opt-out), or None where it did not."""
    row = _row(store, mark)
    return str(row["reason"]) if row is not None and row["actor"] == ENGINE else None


def _row(store: Store, mark: SuppressionKey) -> sqlite3.Row | None:
    return store.row("suppressions.find", kind=mark[0], value=mark[1])


def lift_suppression_row(store: Store, mark: SuppressionKey, *, reason: str, actor: str, now: datetime) -> bool:
    """Remove a suppression, and write that to the journal; False when it is not on the list."""
    kind, value = mark
    if (row := _row(store, mark)) is None:
        return False
    at = max(now, from_micros(row["created_at"]))  # it was put there while the clock was ahead
    store.write("suppressions.lift_before", kind=kind, value=value, at=to_micros(at))
    note_lifted(store, mark, reason=reason, actor=actor, now=at)
    return True


def note_lifted(store: Store, mark: SuppressionKey, *, reason: str, actor: str, now: datetime) -> None:
    """Write to the journal that a person lifted a suppression, so that no restored database brings it back."""
    _note(store, mark, do="lift", reason=reason, actor=actor, now=now)


def replay(store: Store, records: Iterable[Mapping[str, Any]]) -> int:
    """Apply the journal to the list, inside the caller's transaction; return how many entries were added.

    A lift ends only what was put on the list before it.
    """
    regained = 0
    for record in records:
        own = {"kind": record.get("kind"), "value": record.get("value")}
        if own["kind"] not in ("address", "domain", "contact") or not own["value"]:
            continue
        if record.get("do") == "lift":
            store.write("suppressions.lift_before", **own, at=record["at"])
        else:
            said = {**own, "reason": record["reason"], "actor": record["actor"]}
            regained += store.write("suppressions.insert", **said, created_at=record["at"])
            store.write("suppressions.adopt", **said, engine=ENGINE)
    return regained


def write_all(store: Store, path: Path, *, known: Iterable[Mapping[str, Any]]) -> int:
    """Append to the journal what only the list has; return its size in bytes, -1 if it cannot be written."""
    there = {(item.get("kind"), item.get("value")) for item in known}
    try:
        for row in store.rows("suppressions.all"):
            if (row["kind"], row["value"]) not in there:
                facts = {name: row[name] for name in ("kind", "value", "reason", "actor")}
                journals.append_line(path, {"do": "suppress", "at": row["created_at"], **facts})
    except OSError as error:
        log.warning("The journal of suppressions cannot be written: %s", error)
        return -1
    return journals.journal_size(path)


def _note(store: Store, mark: SuppressionKey, *, do: str, reason: str, actor: str, now: datetime) -> None:
    """Write one line into the journal once the list is committed; whatever prevents it, it is added later."""
    kind, value = mark
    record = {"do": do, "at": to_micros(now), "kind": kind, "value": value, "reason": reason, "actor": actor}

    def write() -> None:
        try:
            journals.append_line(store.path.parent / journals.SUPPRESSIONS, record)
        except OSError as error:
            log.warning("The journal of suppressions cannot be written: %s", error)

    store.write("lineage.suppressions_read", suppressions_read=-1)  # compared as a whole at the next start
    store.after_commit(write)


def matching_suppressions(
    store: Store, marks: Iterable[SuppressionKey], *, old: Iterable[SuppressionKey] = ()
) -> dict[SuppressionKey, str]:
    """Return the reasons of those marks that are on the list.

    ``old`` are spellings of earlier versions: they count for what was listed then, and for nothing listed since.
    """
    wanted = [(*mark, 0) for mark in dict.fromkeys(marks)] + [(*mark, 1) for mark in dict.fromkeys(old)]
    rows = store.rows("suppressions.matching", wanted=json.dumps(wanted))
    return {(row["kind"], row["value"]): row["reason"] for row in rows}


def suppression_keys_of(
    contact_id: str, facts: ContactFields, *, recipient: str | None = None
) -> Iterator[SuppressionKey]:
    """Yield every mark that would cover a person, or an address that is about to be written to."""
    yield ("contact", contact_id)
    keys = {address_key(address) for address in _addresses(facts, recipient)}
    hosts = {key.rpartition("@")[2] for key in keys} | {company_domain_of(facts) or ""}
    yield from _marks(keys, hosts)


def former_keys_of(facts: ContactFields, *, recipient: str | None = None) -> Iterator[SuppressionKey]:
    """Yield the marks under which versions before migration 7 would have listed a person, where they differ.

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


def old_spellings(mark: SuppressionKey) -> list[SuppressionKey]:
    """Return how versions before migration 7 may have listed the same."""
    kind, value = mark
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
