"""Tell the vendors that keep a list of their own whom they must not import again."""

from __future__ import annotations

from collections.abc import Sequence as Items
from typing import NamedTuple

from sequences_mcp.domain.addresses import shown_host, spellings
from sequences_mcp.errors import SequencesError
from sequences_mcp.flows.carry_out import carry_out
from sequences_mcp.flows.desk import Desk
from sequences_mcp.providers.port import Call
from sequences_mcp.providers.vendor_port import Exclusions, Write

DONE = "done"


class Mark(NamedTuple):
    """By what somebody is known: a kind (``address``, ``domain``, ``profile``, ``contact``) and its value."""

    kind: str
    value: str


async def exclude_at_vendors(desk: Desk, marks: Items[Mark], *, call: Call, reason: str) -> dict[str, str]:
    """Return, for each vendor with such a list, what became of it there: the own list holds in any case."""
    return {
        name: await _all_excluded(desk, marks, exclusions=provider.exclusions, name=name, call=call, reason=reason)
        for name, provider in desk.providers.items()
        if provider.exclusions is not None
    }


async def _all_excluded(
    desk: Desk, marks: Items[Mark], *, exclusions: Exclusions, name: str, call: Call, reason: str
) -> str:
    if not marks:
        return "not_done: neither an e-mail address nor a LinkedIn profile of theirs is known."
    told = [
        await _excluded(desk, one, exclusions=exclusions, name=name, call=call, reason=reason)
        for one in dict.fromkeys(each for mark in marks for each in _spelled(mark))
    ]
    return "; ".join(dict.fromkeys(line for line in told if line != DONE)) or DONE


def _spelled(mark: Mark) -> tuple[Mark, ...]:
    """Return a mark in each of its spellings: a vendor may compare letter by letter."""
    if mark.kind == "address":
        return tuple(Mark("address", one) for one in spellings(mark.value))
    if mark.kind == "domain":
        return tuple(Mark("domain", one) for one in dict.fromkeys((mark.value, shown_host(mark.value))))
    return (mark,)


async def _is_known_there(exclusions: Exclusions, found: Mark) -> bool:
    """Say whether it is certain that they are on the list: a second entry does no harm, a missing one does."""
    try:
        return await exclusions.is_excluded(found.kind, found.value)
    except SequencesError:
        return False


async def _excluded(desk: Desk, found: Mark, *, exclusions: Exclusions, name: str, call: Call, reason: str) -> str:
    async def effect() -> str:
        if await _is_known_there(exclusions, found):
            return '{"outcome":"done before"}'
        await exclusions.exclude(found.kind, found.value, message=reason)
        return '{"outcome":"done"}'

    subject = f"{name}:{found.kind}:{found.value}"
    write = Write(
        call=Call(call.tool, call.key and f"{call.key}#{subject}", call.fingerprint),
        provider=name,
        subject=subject,
        arguments={"kind": found.kind, "value": found.value},
        safe=True,
    )
    try:
        await carry_out(desk, write, effect)
    except SequencesError as error:
        return f"{error.outcome}: {error}"
    return DONE
