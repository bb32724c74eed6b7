"""What a first message needs by law: the table of countries in ``law.toml``, and what one message lacks of it.

The findings are reminders, no legal advice: the table names the statute or guide of each, and a house may change
it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

from sequences_mcp.domain.findings import Finding, Severity
from sequences_mcp.domain.sender import LawSetting
from sequences_mcp.domain.workspace import LAW_FILE, Workspace
from sequences_mcp.errors import SettingsError
from sequences_mcp.guards.policy import DEFAULT, GuardPolicy
from sequences_mcp.guards.rule import Rule
from sequences_mcp.guards.rules import law as rules
from sequences_mcp.lazy_dataclasses import dataclass, field, replace
from sequences_mcp.remembering import VALUES

OFFERED = " Line to add: "
IN_TEXT = ("sender", "postal_address", "opt_out", "source")
KINDS = (*IN_TEXT, "consent")
_RULES: Mapping[str, Rule] = {
    "sender": rules.SENDER,
    "postal_address": rules.POSTAL_ADDRESS,
    "opt_out": rules.OPT_OUT,
    "source": rules.SOURCE,
}
_CODE = re.compile(r"[A-Z]{2}")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
# What may be left out of a company's name where it is written.
_LEGAL_FORMS = frozenset(
    {
        *(
            "ltd",
            "limited",
            "inc",
            "llc",
            "llp",
            "plc",
            "corp",
            "gmbh",
            "ag",
            "ug",
            "kg",
            "ohg",
            "se",
            "sas",
            "sasu",
        ),
        *("sarl", "sa", "sl", "srl", "spa", "bv", "nv", "ab", "aps", "as", "oy", "lda", "sp"),
    }
)


class StatuteEntry(NamedTuple):
    """A statute or guide, where it is read, and whether it is about text messages too."""

    statute: str
    link: str
    texts: bool = True


class DemandEntry(NamedTuple):
    """One thing that a country asks for, and by what; ``severity`` where a house says other than the rule."""

    kind: str
    statute: StatuteEntry
    country: str
    severity: Severity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CountryEntry:
    """A country by its ISO 3166 code, its languages, and what it asks for by kind; no code: one of several."""

    code: str
    name: str
    languages: tuple[str, ...] = ()
    demands: Mapping[str, DemandEntry] = field(default_factory=dict)

    @property
    def strictness(self) -> tuple[bool, int]:
        """How strict it is: whether consent is needed, then how much is asked for."""
        return "consent" in self.demands, len(self.demands)


@dataclass(frozen=True, kw_only=True)
class LanguageEntry:
    """The lines that are offered in a language, with ``{sender}`` and the like, and known phrases."""

    lines: Mapping[str, str]
    phrases: Mapping[str, tuple[str, ...]]

    @cached_property
    def patterns(self) -> Mapping[str, tuple[str, ...]]:
        """The phrases as they are looked for in ``plain`` texts; one that ended in ``*`` may go on."""
        return {kind: tuple(map(_pattern, phrases)) for kind, phrases in self.phrases.items()}


@dataclass(frozen=True, kw_only=True, eq=False)
class LawTable:
    """All countries by code, and all languages by tag."""

    countries: Mapping[str, CountryEntry]
    languages: Mapping[str, LanguageEntry]

    def one_of(self, codes: Iterable[str]) -> CountryEntry | None:
        """Return somebody's country where it is one of these: of several, all that any of them asks for.

        Each demand is the strictest country's that has it. None where the table has none of these.
        """
        known = [self.countries[code] for code in dict.fromkeys(codes) if code in self.countries]
        if len(known) <= 1:
            return known[0] if known else None
        known.sort(key=lambda country: country.strictness, reverse=True)
        demands: dict[str, DemandEntry] = {}
        for country in known:
            demands = {**country.demands, **demands}
        return CountryEntry(code="", name=known[0].name, demands=demands)


@dataclass(frozen=True, kw_only=True, eq=False)
class Law:
    """The table, and what this workspace says of itself; None where it says nothing."""

    table: LawTable
    setting: LawSetting | None = None

    @property
    def needs_consent(self) -> frozenset[str]:
        """The codes of the countries in which nobody is written to without a record of consent."""
        return _consent_codes(self.table)


class FirstMessage(NamedTuple):
    """The first message to somebody: its step, its text, and what the mailbox puts below every text."""

    step_id: str | None
    text: str
    below: str = ""
    is_texted: bool = False
    end: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonFacts:
    """What is known of whoever is written to: ``countries`` has one where it is known, none where nothing is."""

    countries: tuple[str, ...] = ()
    language: str | None = None
    source: str | None = None
    basis: str | None = None
    consent: str | None = None


def findings_about(
    law: Law,
    person: PersonFacts,
    messages: Iterable[FirstMessage],
    *,
    policy: GuardPolicy = DEFAULT,
    waived: str | None = None,
) -> Iterator[Finding]:
    """Yield what the first messages to somebody lack, and whether a record of consent is missing.

    Without a setting of the workspace only the consent that a person's own country needs is asked for. ``waived``
    says who waived that, and why.
    """
    setting = law.setting
    if setting is None:
        if len(person.countries) == 1 and person.countries[0] in law.needs_consent:
            yield from _consent(law.table.countries[person.countries[0]], person, policy, waived=waived)
        return
    country = law.table.one_of(person.countries) if person.countries else None
    if country is None and len(person.countries) == 1:
        yield _finding(rules.COUNTRY, f"law.toml has nothing about {person.countries[0]}.", policy=policy)
        return
    if country is None:
        country = law.table.one_of(setting.countries or law.table.countries)
    if country is None:
        return
    if not country.code:
        why = f"The strictest of those possible is {country.name}{_consent_words(country)}. Save their country."
        yield _finding(rules.COUNTRY, f"{rules.COUNTRY.message} {why}", policy=policy)
    else:
        yield from _consent(country, person, policy, waived=waived)
    for message in messages:
        yield from missing_by_law(law, country, message, person=person, policy=policy)


def missing_by_law(
    law: Law, country: CountryEntry, message: FirstMessage, *, person: PersonFacts, policy: GuardPolicy = DEFAULT
) -> Iterator[Finding]:
    """Yield a finding for each thing that a message lacks in a country, with the line to add in its language."""
    setting = law.setting or LawSetting()
    has = present_in(f"{message.text}\n{message.below}", law, source=person.source or setting.source or "")
    for kind in IN_TEXT:
        demand = country.demands.get(kind)
        if demand is None or kind in has or (message.is_texted and not demand.statute.texts):
            continue
        rule = _RULES[kind]
        line = offered_line(law, kind, _language(law.table, country, person), person=person)
        words = f"{rule.message} {_named(country, demand)}"
        words += f"{OFFERED}{line}" if line else f" {_UNKNOWN[kind]}" if kind in _UNKNOWN else ""
        yield Finding(
            rule=rule.id,
            severity=policy.severity.get(rule.id, demand.severity or rule.severity),
            message=words,
            step_id=message.step_id,
            field="content",
            start=message.end,
            end=message.end,
            fix=f"\n\n{line}" if line else None,
        )


_UNKNOWN = {
    "sender": "What to add is not known: [law] in settings.toml has no sender.",
    "postal_address": "What to add is not known: sender of [law] in settings.toml has no postal address.",
    "source": "What to add is not known: save each person's source with save_contacts.",
}


def offered_line(law: Law, kind: str, language: str, *, person: PersonFacts) -> str | None:
    """Return the line that a message lacks, in a language; None where what it has to say is not known."""
    setting = law.setting or LawSetting()
    lines = law.table.languages[language].lines
    if kind == "opt_out":
        return lines["opt_out_line"]
    if kind == "source":
        source, basis = person.source or setting.source, person.basis or setting.basis
        if not source:
            return None
        sentences = [lines["source_line"].format(source=source)]
        return " ".join([*sentences, *([lines["basis_line"].format(basis=basis)] if basis else [])])
    if not setting.sender or (kind == "postal_address" and not setting.address):
        return None
    return lines["sender_line"].format(sender=setting.name) if kind == "sender" else setting.sender


def present_in(text: str, law: Law, *, source: str = "") -> frozenset[str]:
    """Return which of the things that a first message may need a text has, in whatever language."""
    setting = law.setting or LawSetting()
    return _present(text, sender=setting.sender or "", source=source, table=law.table)


@VALUES.up_to(1_024)  # one template, or its first people's texts, is asked about for everybody in a plan
def _present(text: str, *, sender: str, source: str, table: LawTable) -> frozenset[str]:
    words = plain(text)
    has = {
        kind
        for language in table.languages.values()
        for kind, patterns in language.patterns.items()
        if any(_occurs(pattern, words) for pattern in patterns)
    }
    if source and plain(source) in words:
        has.add("source")
    name, address = LawSetting(sender=sender).name, LawSetting(sender=sender).address
    if name and any(plain(spelling) in words for spelling in _spellings(name)):
        has.add("sender")
    if address and all(plain(part) in words for part in address.split(",") if part.strip()):
        has.add("postal_address")
    return frozenset(has)


def plain(text: str) -> str:
    """Return the words of a text in small letters between single spaces, one before and one behind."""
    words = _WORD.findall(unicodedata.normalize("NFKC", text).casefold().replace("’", "'"))
    return f" {' '.join(words)} "


def _spellings(name: str) -> Iterator[str]:
    yield name
    words = [word for word in name.replace(".", "").split() if word.casefold() not in _LEGAL_FORMS]
    if words and len(words) < len(name.split()):
        yield " ".join(words)


def _pattern(phrase: str) -> str:
    return plain(phrase).rstrip() if phrase.endswith("*") and not phrase.endswith(" *") else plain(phrase)


def _occurs(pattern: str, words: str) -> bool:
    return pattern in words


def _language(table: LawTable, country: CountryEntry, person: PersonFacts) -> str:
    """Return the person's language, else the country's first, where there are lines in it; else English."""
    spoken = (person.language or "").partition("-")[0].casefold()
    return next((tag for tag in (spoken, *country.languages) if tag in table.languages), "en")


def _consent(
    country: CountryEntry, person: PersonFacts, policy: GuardPolicy, *, waived: str | None
) -> Iterator[Finding]:
    demand = country.demands.get("consent")
    if demand is None:
        return
    if person.consent or waived:
        words = f"{rules.CONSENT_RECORD.message} {_named(country, demand)}"
        why = "" if person.consent else f" None is recorded. {waived}"
        finding = _finding(rules.CONSENT_RECORD, f"{words}{why}", policy=policy)
        yield replace(finding, excerpt=person.consent or "")
    else:
        severity = demand.severity or rules.CONSENT.severity
        words = f"{rules.CONSENT.message} {_named(country, demand)}"
        yield Finding(
            rule=rules.CONSENT.id, severity=policy.severity.get(rules.CONSENT.id, severity), message=words
        )


def _named(country: CountryEntry, demand: DemandEntry) -> str:
    where = country.name if country.code else f"possibly {demand.country}"
    return f"{where[0].upper()}{where[1:]}: {demand.statute.statute} ({demand.statute.link})."


def _consent_words(country: CountryEntry) -> str:
    demand = country.demands.get("consent")
    return f", where consent is needed: {demand.statute.statute} ({demand.statute.link})" if demand else ""


def _finding(rule: Rule, message: str, *, policy: GuardPolicy) -> Finding:
    return Finding(rule=rule.id, severity=policy.severity.get(rule.id, rule.severity), message=message)


@lru_cache(maxsize=8)
def _consent_codes(table: LawTable) -> frozenset[str]:
    return frozenset(code for code, country in table.countries.items() if "consent" in country.demands)


def law_in(workspace: Workspace, setting: LawSetting | None) -> Law:
    """Return the law of a workspace, a house's own file over the table of the package; SettingsError."""
    path = workspace.law
    return Law(table=load_law(path) if path.exists() else built_in(), setting=setting)


@lru_cache(maxsize=1)
def built_in() -> LawTable:
    """Return the table of the package."""
    return _Reading(_content(Path(__file__).with_name(LAW_FILE)), {}).table()


def load_law(path: Path) -> LawTable:
    """Return the table of the package with a house's own file over it; SettingsError names every bad entry."""
    house = _content(path)
    reading = _Reading(_content(Path(__file__).with_name(LAW_FILE)), house)
    table = reading.table()
    if reading.problems:
        raise SettingsError(
            f"{path} is not a file of laws: {'; '.join(reading.problems)}.",
            next_step="Correct the file, or remove it to use the table as it is.",
            data={"problems": reading.problems},
        )
    return table


def _content(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(
            f"{path} cannot be read as TOML in UTF-8: {error}.",
            next_step="Correct the file, or remove it to use the table as it is.",
        ) from error


Level = Literal["law", "groups", "countries", "languages"]


class _Reading:
    """Reads the package's file with a house's own over it, key by key; ``problems`` are the house's."""

    def __init__(self, package: Mapping[str, Any], house: Mapping[str, Any]) -> None:
        self.problems: list[str] = []
        self._house = house
        self._package = package
        for name in house:
            if name not in ("law", "groups", "countries", "languages"):
                self.problems.append(f"{name!r} is none of law, groups, countries and languages")
        self._statutes = {
            name: StatuteEntry(
                str(row.get("statute", "")), str(row.get("link", "")), row.get("texts") is not False
            )
            for name, row in self._rows("law").items()
        }

    def table(self) -> LawTable:
        """Return the table as far as it can be read."""
        groups = self._rows("groups")
        countries = {
            code: self._country(code, {**groups.get(str(row.get("alike", "")), {}), **row})
            for code, row in self._rows("countries").items()
            if self._is_code(code)
        }
        languages = {tag: self._language(tag, row) for tag, row in self._rows("languages").items()}
        return LawTable(countries=countries, languages=languages)

    def _rows(self, level: Level) -> dict[str, dict[str, Any]]:
        rows = {name: dict(row) for name, row in self._package.get(level, {}).items()}
        changed = self._house.get(level, {})
        if not isinstance(changed, dict) or not all(isinstance(row, dict) for row in changed.values()):
            self._wrong(f"{level} holds tables alone, such as [{level}.NAME]")
            return rows
        for name, row in changed.items():
            rows[name] = {
                **rows.get(name, {}),
                **{key: self._merged(rows.get(name, {}), key, row[key]) for key in row},
            }
        return rows

    def _merged(self, row: Mapping[str, Any], key: str, value: object) -> object:
        """Return a value of the house's; a table such as ``opt_out.severity`` keeps what it leaves out."""
        before = row.get(key)
        if not isinstance(value, dict):
            return value
        if before is None and (group := row.get("alike")):
            before = self._package.get("groups", {}).get(group, {}).get(key)
        return {**(before if isinstance(before, dict) else {"law": before} if before else {}), **value}

    def _is_code(self, code: str) -> bool:
        if not _CODE.fullmatch(code):
            self._wrong(f"countries.{code}: a country is named by its two capital letters of ISO 3166")
        return bool(_CODE.fullmatch(code))

    def _country(self, code: str, row: Mapping[str, Any]) -> CountryEntry:
        known = (*KINDS, "name", "languages", "alike")
        for key in row:
            if key not in known:
                self._wrong(f"countries.{code}.{key}: there is no such key; there are {', '.join(known)}")
        name = str(row.get("name") or code)
        demands = {
            kind: self._demand(f"countries.{code}.{kind}", kind, row.get(kind), name=name) for kind in KINDS
        }
        languages = row.get("languages", ())
        if not isinstance(languages, list | tuple) or not all(isinstance(tag, str) for tag in languages):
            self._wrong(f'countries.{code}.languages is a list of tags, such as ["fr"]')
            languages = ()
        return CountryEntry(
            code=code,
            name=name,
            languages=tuple(languages),
            demands={kind: demand for kind, demand in demands.items() if demand is not None},
        )

    def _demand(self, place: str, kind: str, value: object, *, name: str) -> DemandEntry | None:
        """Return what a key asks for: a law's name, a table, true for the house's own rule, false for nothing."""
        if value is None or value is False:
            return None
        row: Mapping[str, Any] = value if isinstance(value, dict) else {} if value is True else {"law": value}
        severity, law = row.get("severity"), row.get("law")
        if set(row) - {"law", "severity", "statute", "link"}:
            self._wrong(f"{place}: its keys are law, statute, link and severity")
        if severity is not None and severity not in (Severity.ERROR, Severity.WARNING):
            self._wrong(f"{place}.severity is error or warning, not {severity!r}")
            severity = None
        if law is not None and law not in self._statutes:
            self._wrong(f"{place}: there is no [law.{law}]")
        statute = self._statutes.get(str(law)) or StatuteEntry(
            str(row.get("statute", "the house's own rule")), str(row.get("link", LAW_FILE))
        )
        return DemandEntry(kind, statute, name, Severity(severity) if severity else None)

    def _language(self, tag: str, row: Mapping[str, Any]) -> LanguageEntry:
        english = self._package["languages"]["en"]
        lines = {key: str(row.get(key, english[key])) for key in english if key.endswith("_line")}
        for key, value in row.items():
            lists = key in ("opt_out", "source")
            if not (lists and isinstance(value, list)) and not (key in lines and isinstance(value, str)):
                self._wrong(f"languages.{tag}.{key}: lines are texts, and opt_out and source lists of phrases")
        for key, line in lines.items():
            if re.search(r"\{(?!sender\}|source\}|basis\})|(?<!\{sender|\{source|..basis)\}", line):
                self._wrong(f"languages.{tag}.{key}: only {{sender}}, {{source}} and {{basis}} stand in braces")
        phrases = {key: tuple(map(str, row.get(key, ()))) for key in ("opt_out", "source")}
        return LanguageEntry(lines=lines, phrases=phrases)

    def _wrong(self, why: str) -> None:
        if why not in self.problems:
            self.problems.append(why)
