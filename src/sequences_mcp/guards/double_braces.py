"""Doubled braces that are not one of the nine variables, and what each was meant to be."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from sequences_mcp.domain.variables import VARIABLES
from sequences_mcp.guards.fold import key
from sequences_mcp.guards.lazy import Lazy
from sequences_mcp.guards.markup import ENTITY, TAG
from sequences_mcp.guards.text import Text
from sequences_mcp.guards.views import View

_RUN = Lazy(r"\{(?:[ \t\u00a0]{0,3}\{)+|\}(?:[ \t\u00a0]{0,3}\})+")
_PARAGRAPH = Lazy(r"\n[ \t\r]*\n")
_MOST = 6_000

# What other tools and other languages call the nine; two tokens mean that only the writer knows which.
_ALIASES = """
firstname: first_name fname first given_name forename prenom vorname nombre nome voornaam imie имя 名 contact_first_name
 candidate_first_name candidateFirstname contactFirstname prospect_first_name lead_first_name recipient_first_name user_first_name
lastname: last_name lname surname family_name nom nachname apellido apellidos cognome sobrenome achternaam nazwisko фамилия 姓
 candidate_last_name candidateLastname contactLastname
candidateCompanyName: company company_name candidateCompany currentCompany organization organisation employer account_name
 entreprise societe firma unternehmen empresa azienda bedrijf компания 会社名 公司 contactCompany
candidateJobTitle: candidateTitle candidateJob currentJobTitle currentTitle contactTitle candidatePosition candidateRole
candidateLocation: candidateCity contactLocation candidateCountry
sourcingJobTitle: sourcingTitle sourcingJob sourcingRole sourcingPosition targetJobTitle openPosition jobName vacancy
sourcingLocation: sourcingCity jobLocation officeLocation
recruiterFirstname: recruiter_first_name senderFirstName sender_first_name myFirstName my_first_name userFirstname recruiterName
recruiterLastname: recruiter_last_name senderLastName sender_last_name myLastName
"""
_EITHER = {
    "jobtitle": ("sourcingJobTitle", "candidateJobTitle"),
    "title": ("sourcingJobTitle", "candidateJobTitle"),
    "job": ("sourcingJobTitle", "candidateJobTitle"),
    "role": ("sourcingJobTitle", "candidateJobTitle"),
    "position": ("sourcingJobTitle", "candidateJobTitle"),
    "location": ("sourcingLocation", "candidateLocation"),
    "city": ("sourcingLocation", "candidateLocation"),
    "name": ("firstname", "lastname"),
    "fullname": ("firstname", "lastname"),
    "sendername": ("recruiterFirstname", "recruiterLastname"),
}


class Doubled(NamedTuple):
    """``{{…}}`` in one view; ``inner`` is None where the braces do not pair up."""

    view: View
    start: int
    end: int
    inner: str | None


def doubled(text: Text) -> Iterator[Doubled]:
    """Return what doubled braces are left in each view once the nine are covered."""
    for view in text.views:
        if "{" in view.text or "}" in view.text:
            yield from _doubled(view)


def _doubled(view: View) -> Iterator[Doubled]:
    runs = [match.span() for match in _RUN.finditer(view.text)]
    skip = False
    for (start, end), following in zip(runs, [*runs[1:], None], strict=False):
        if skip:
            skip = False
        elif following and _closes(view.text, end, following):
            yield Doubled(view, start, following[1], view.text[end : following[0]])
            skip = True
        else:
            yield Doubled(view, start, end, None)


def _closes(text: str, end: int, following: tuple[int, int]) -> bool:
    start, stop = following
    is_pair = text[end - 1] == "{" and text[start] == "}" and text[end - 3 : end - 2] != "{"
    clean = text[start:stop].count("}") == 2 and start - end <= _MOST
    return is_pair and clean and not _PARAGRAPH.search(text[end:start])


@cache
def _known() -> dict[str, str]:
    known = {key(name): name for name in VARIABLES}
    name = ""
    for word in _ALIASES.split():
        if word.endswith(":"):
            name = word[:-1]
        else:
            known.setdefault(key(word), name)
    return known


def meant(inner: str) -> str | None:
    """Return the variable that a name was meant to be, or None."""
    name = key(TAG.sub("", ENTITY.sub("", inner)))
    known = _known()
    if name in known or not 5 <= len(name) <= 40:
        return known.get(name)
    near = {variable for variable in VARIABLES if _distance(name, key(variable)) <= (1 if len(name) < 9 else 2)}
    return near.pop() if len(near) == 1 else None


def either(inner: str) -> tuple[str, ...]:
    """Return the variables that a name could stand for, where only the writer knows which."""
    return _EITHER.get(key(inner), ())


def _distance(one: str, other: str) -> int:
    """Levenshtein's distance, for names; 9 stands for any larger one."""
    if abs(len(one) - len(other)) > 2:
        return 9
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        previous, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (a != b))
    return row[-1]
