"""Never contact an address, a domain or a person again; wins over everything. Only a person takes that back."""

from __future__ import annotations

import re
from typing import Literal

from sequences_mcp.domain.addresses import read_host, visible
from sequences_mcp.domain.ids import LOCAL, Kind, parse
from sequences_mcp.domain.limits import require_short
from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.flows.desk import Desk, offered
from sequences_mcp.providers.port import Lifted, Suppressed

PAGES_OF_PEOPLE = re.compile(
    r"(.+\.)?(linkedin|xing|github|gitlab|x|twitter|facebook|instagram|wellfound|stackoverflow|medium|youtube|tiktok)"
    r"\.com|(.+\.)?(t|wa|about)\.me|linktr\.ee"
)


async def suppress_contact(desk: Desk, *, contact: str, reason: str, by_person: bool = False) -> Suppressed:
    """Return what is now suppressed and what it stopped; ``contact`` is an id, an address or a domain.

    ``by_person``: a person asks for it themselves, who may list a whole mail provider; a model may not.
    """
    require_short("reason", reason)
    kind, text = _named(contact)
    if kind == "contact":
        await _require_known(desk, text)
    return await desk.suppressions.suppress(kind, text, reason=reason, by_person=by_person)


async def lift_suppression(desk: Desk, *, contact: str, reason: str, actor: str) -> Lifted:
    """Take an id, an address or a domain off the list; only for a person who has proved to be one.

    Raises NotFoundError where it is not on the list, and InvalidArgumentsError without a reason.
    """
    if not reason.strip():
        raise InvalidArgumentsError("The reason is blank.", next_step="Say why they may be contacted again.")
    require_short("reason", reason)
    kind, text = _named(contact)
    return await desk.suppressions.lift(kind, text, reason=reason.strip(), actor=actor)


def _named(contact: str) -> tuple[Literal["address", "domain", "contact"], str]:
    require_short("contact", contact)
    text = _bare(contact)
    if "@" in text.strip("@"):
        return "address", text
    if ":" in text and "//" not in text:
        return "contact", text
    try:
        host = read_host(visible(text))
    except InvalidArgumentsError as error:
        raise InvalidArgumentsError(
            f"{text[:80]!r} is no contact id, address or domain.",
            next_step="Give local:ct_…, name@example.com or example.com. find_contacts shows the id and address "
            "behind a name, a number or a profile.",
        ) from error
    if _is_page_of_somebody(text, host):
        raise InvalidArgumentsError(
            f"{text[:80]!r} is one person's page at {host}, not a domain that their addresses are in.",
            next_step="Give their e-mail address or contact id; find_contacts finds them by the page too.",
        )
    return "domain", host


def _is_page_of_somebody(text: str, host: str) -> bool:
    """Say whether a text is the address of a page at a host where everybody has one."""
    path = re.split(r"[/?#]+", re.sub(r"^[a-z]+:/*", "", visible(text), flags=re.IGNORECASE), maxsplit=1)[1:]
    return any(path) and PAGES_OF_PEOPLE.fullmatch(host) is not None


def _bare(contact: str) -> str:
    """Return what is meant where an address or a domain was copied with what stood around it."""
    text = contact.strip()
    if found := re.search(r"<([^<>]*@[^<>]*)>\s*$", text):
        text = found[1]
    return re.sub(r"^mailto:", "", text, flags=re.IGNORECASE).strip().strip("\"'").rstrip(".,;").strip()


async def _require_known(desk: Desk, text: str) -> None:
    """Raise NotFoundError for an id of nobody: whoever gave it must not believe that somebody is safe now."""
    if parse(text, Kind.CONTACT).provider == LOCAL:
        await offered(desk.local.contacts, desk.local, verb="read contacts").get_contacts([text])
