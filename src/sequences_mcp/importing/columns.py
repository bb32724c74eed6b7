"""Which column of a file holds which fact about a person: by its name in ten languages, and by whose export it is.

A name is compared without case, accents, spaces and punctuation. A column whose name is not known is shown and not
imported; a person can say what it holds.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from collections.abc import Sequence as Items
from functools import cache

from sequences_mcp.domain.contact import FACTS
from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.lazy_dataclasses import dataclass, field

FULL_NAME, CITY, REGION, NOTE = "full_name", "city", "region", "note"
IGNORED = "-"
TARGETS = (*FACTS, NOTE, FULL_NAME, CITY, REGION)
"""What a column can hold: a fact, a note, or what facts are made from."""

# English, German, French, Spanish, Portuguese, Italian, Dutch, Polish, Swedish, Japanese; then those of exports.
# The order of a list is that of preference where a file has several of them.
_NAMES: Mapping[str, str] = {
    "email": "email, e-mail, email address, e-mail address, mail, work email, business email, primary email, "
    "email 1, e-mail 1 - value, professional email, E-Mail-Adresse, Mailadresse, adresse e-mail, "
    "adresse mail, courriel, adresse électronique, correo, correo electrónico, dirección de correo, "
    "endereço de e-mail, correio eletrónico, correio eletrônico, posta elettronica, "
    "indirizzo e-mail, indirizzo email, e-mailadres, adres e-mail, poczta elektroniczna, "
    "e-postadress, e-post, epost, メール, メールアドレス, Eメール, emails, email addresses, "
    "personal email, secondary email, alternate email, e-mail 2 - value",
    "phone": "mobile, mobile phone, mobile number, mobile phone number, cell, cell phone, phone, "
    "phone number, telephone, tel, work phone, direct phone, work direct phone, direct dial, "
    "phone 1 - value, Handy, Handynummer, Mobilnummer, Mobiltelefon, Telefon, Telefonnummer, "
    "Rufnummer, portable, téléphone portable, téléphone, numéro de téléphone, móvil, teléfono móvil, "
    "teléfono, número de teléfono, telemóvel, celular, telefone, número de telefone, cellulare, "
    "telefono cellulare, telefono, numero di telefono, mobiel, mobiel nummer, telefoon, "
    "telefoonnummer, komórka, telefon komórkowy, numer telefonu, mobilnummer, telefonnummer, 携帯, "
    "携帯電話, 電話, 電話番号, phones, phone numbers, home phone, other phone, phone 2 - value",
    "first_name": "first name, first, given name, forename, fname, Vorname, Rufname, prénom, nombre, "
    "nombre de pila, primeiro nome, nome próprio, nome, nome di battesimo, voornaam, imię, förnamn, "
    "名, preferred first name",
    "last_name": "last name, last, surname, family name, lname, Nachname, Familienname, Zuname, nom de famille, "
    "nom, apellido, apellidos, sobrenome, apelido, cognome, achternaam, familienaam, nazwisko, "
    "efternamn, 姓, 名字",
    FULL_NAME: "name, full name, contact name, display name, candidate name, lead name, Name Vorname, "
    "vollständiger Name, Ansprechpartner, nom complet, nom et prénom, prénom et nom, "
    "nombre completo, nombre y apellidos, nome completo, nome e cognome, volledige naam, naam, "
    "imię i nazwisko, pełna nazwa, fullständigt namn, namn, 氏名, お名前, 名前",
    "company": "company name for emails, company, company name, organization, organisation, organization name, "
    "organization 1 - name, employer, current company, current employer, account, account name, "
    "associated company, Firma, Unternehmen, Firmenname, Arbeitgeber, société, entreprise, "
    "nom de l'entreprise, nom de la société, empresa, compañía, nombre de la empresa, "
    "nome da empresa, azienda, società, ragione sociale, nome azienda, bedrijf, bedrijfsnaam, "
    "organisatie, przedsiębiorstwo, nazwa firmy, företag, företagsnamn, 会社, 会社名, 企業名",
    "company_domain": "company domain, company domain name, domain, website, company website, company url, "
    "website url, web site, webseite, Homepage, Internetseite, Firmendomain, site web, "
    "site internet, domaine, sitio web, página web, dominio, site, sítio web, domínio, sito web, "
    "sito internet, dominio aziendale, strona internetowa, strona www, domena, webbplats, hemsida, "
    "domän, ウェブサイト, ホームページ, ドメイン, website 1 - value, organization website",
    "job_title": "job title, title, position, role, job position, current title, current position, designation, "
    "occupation, organization title, organization 1 - title, job, Berufsbezeichnung, "
    "Stellenbezeichnung, Funktion, Jobtitel, poste, fonction, intitulé de poste, intitulé du poste, "
    "titre, cargo, puesto, título del puesto, função, posição, título, ruolo, qualifica, posizione, "
    "titolo, mansione, functie, functietitel, stanowisko, tytuł, titel, befattning, yrkestitel, "
    "roll, 役職, 職種, 肩書き",
    "location": "location, place, address, person location, Standort, lieu, localisation, ubicación, "
    "localidad, localização, luogo, località, sede, locatie, plaats, lokalizacja, miejscowość, "
    "plats, 所在地, 勤務地, address 1 - formatted",
    CITY: "city, town, person city, Stadt, Wohnort, ville, ciudad, cidade, città, stad, woonplaats, "
    "miasto, ort, 市区町村, 都市, address 1 - city",
    REGION: "state, region, state/region, province, person state, Bundesland, région, département, "
    "provincia, estado, distrito, regione, provincie, województwo, län, 都道府県, "
    "address 1 - region",
    "country": "country, country/region, country code, person country, Land, Staat, pays, país, paese, nazione, "
    "stato, kraj, 国, 国名, address 1 - country",
    "time_zone": "time zone, timezone, tz, Zeitzone, fuseau horaire, zona horaria, fuso horário, fuso orario, "
    "tijdzone, strefa czasowa, tidszon, タイムゾーン",
    "language": "language, preferred language, locale, Sprache, langue, idioma, lengua, língua, lingua, taal, "
    "język, språk, 言語",
    "linkedin_url": "linkedin url, linkedin, person linkedin url, linkedin profile, linkedin profile url, "
    "linkedin link, linkedin public url, profile url, linkedin-profil, profil linkedin, "
    "url linkedin, perfil de linkedin, perfil linkedin, perfil do linkedin, profilo linkedin, "
    "linkedin-profiel, linkedinprofil, hs linkedin url, social media, links",
    "source": "source, lead source, sources, original source, Quelle, Herkunft, fuente, origen, fonte, origem, "
    "bron, źródło, källa, 情報源, 取得元, provenance",
    "found_at": "found at, found on, date found, gefunden am, trouvé le, encontrado el, encontrado em, "
    "trovato il, gevonden op, znaleziono dnia, hittad, 取得日",
    "basis": "legal basis, lawful basis, legal basis for processing contact's data, Rechtsgrundlage, "
    "base légale, base jurídica, base legal, base giuridica, rechtsgrond, podstawa prawna, "
    "rättslig grund, 法的根拠",
    "consent": "consent, Einwilligung, consentement, consentimiento, consentimento, consenso, toestemming, "
    "zgoda, samtycke, 同意",
    NOTE: "note, notes, comment, comments, remark, remarks, Notiz, Notizen, Bemerkung, Bemerkungen, "
    "Kommentar, commentaire, commentaires, remarque, nota, notas, comentario, comentarios, "
    "comentário, observações, appunti, commento, notitie, notities, opmerking, opmerkingen, notatka, "
    "notatki, uwagi, komentarz, anteckning, anteckningar, メモ, 備考",
}
_PREFIXES = ("lead", "contact", "person", "prospect", "candidate", "recipient")


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownExport:
    """The export of another product: ``marks`` are columns of which a file has at least ``least`` besides ``all``.

    ``columns`` are names that mean something else there than elsewhere, or nothing that is imported.
    """

    title: str
    least: int
    marks: tuple[str, ...]
    needed: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)

    def is_of(self, keys: frozenset[str]) -> bool:
        """Say whether a file with these columns is one."""
        return keys.issuperset(map(column_key, self.needed)) and self.least <= sum(
            column_key(mark) in keys for mark in self.marks
        )


# From the products' documentation of their exports and import templates, in 2026.
EXPORTS: tuple[KnownExport, ...] = (
    KnownExport(
        title="sequences-mcp",
        least=4,
        needed=("contact_id", "email"),
        marks=("company_domain", "linkedin_url", "found_at", "created_at", "updated_at"),
    ),
    KnownExport(
        title="LinkedIn connections",
        least=1,
        needed=("First Name", "Last Name"),
        marks=("Connected On",),
        columns={"URL": "linkedin_url"},
    ),
    KnownExport(
        title="Google Contacts",
        least=1,
        marks=("E-mail 1 - Value", "Phone 1 - Value", "Organization 1 - Name"),
        columns={"Name": IGNORED, "File As": IGNORED, "Location": IGNORED, "Language": IGNORED},
    ),
    KnownExport(
        title="Apollo",
        least=1,
        needed=("Person Linkedin Url",),
        marks=("Company Name for Emails", "Email Status", "Apollo Contact Id", "Seniority"),
    ),
    KnownExport(
        title="HubSpot",
        least=1,
        needed=("Record ID",),
        marks=("Lifecycle Stage", "Lead Status", "Contact owner", "Create Date", "Associated Company"),
    ),
    KnownExport(
        title="Smartlead",
        least=2,
        marks=(
            "linkedin_profile",
            "company_url",
            "custom_fields",
            "is_unsubscribed",
            "last_email_sequence_sent",
            "campaign_lead_map_id",
        ),
    ),
    KnownExport(
        title="Instantly",
        least=2,
        needed=("email",),
        marks=(
            "personalization",
            "lt_interest_status",
            "email_open_count",
            "email_reply_count",
            "Lead Status",
            "Interest Status",
            "Email Open Count",
        ),
    ),
    KnownExport(
        title="lemlist",
        least=2,
        needed=("email", "firstName"),
        marks=("icebreaker", "picture", "companyName", "linkedinUrl", "lemlistUrl", "emailStatus"),
    ),
    KnownExport(
        title="Greenhouse",
        least=2,
        marks=(
            "Candidate ID",
            "Application ID",
            "Who gets credit",
            "Social Media",
            "Prospect Pool",
            "Prospect Stage",
        ),
        columns={"Source": "source", "Job": IGNORED, "Address": "location"},
    ),
    KnownExport(
        title="Lever",
        least=2,
        marks=("Origin", "Archive-Reason", "Date-Added", "Lever Posting URL", "Opportunity ID", "Archived Reason"),
        columns={"Origin": IGNORED, "Links": "linkedin_url", "Job": IGNORED},
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a file: its name, where it stands, from 0, and what it holds (``-``: nothing that is imported).

    ``rank`` orders the columns that hold the same: of several the first that is filled in counts.
    """

    index: int
    name: str
    target: str
    rank: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnList:
    """What each column holds, and whose export the file is, where that is known."""

    columns: tuple[Column, ...]
    export: str | None = None

    def of(self, target: str) -> list[int]:
        """Return the places of the columns that hold something, the preferred first."""
        chosen = [column for column in self.columns if column.target == target]
        return [column.index for column in sorted(chosen, key=lambda column: (column.rank, column.index))]

    @property
    def names_somebody(self) -> bool:
        """Whether a column holds what tells people apart: an address or a number."""
        return any(column.target in ("email", "phone") for column in self.columns)


def column_key(name: str) -> str:
    """Return the name of a column as names are compared: letters and digits alone, without case and accents."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    return "".join(character for character in plain if character.isalnum() or "\u3099" <= character <= "\u309a")


@cache
def _by_key() -> dict[str, tuple[str, int]]:
    """Return what a column with a name holds, with its rank among the names of the same."""
    known: dict[str, tuple[str, int]] = {}
    for target, names in _NAMES.items():
        for rank, name in enumerate(names.split(", ")):
            known.setdefault(column_key(name), (target, rank))
    for target in TARGETS:
        known.setdefault(column_key(target), (target, 0))
    return known


def known_columns(names: Iterable[str]) -> int:
    """Return how many different columns are known among these names, by which a row is known as a header."""
    return len({match[0] for name in names if (match := _known(name)) is not None})


def _known(name: str) -> tuple[str, int] | None:
    key = column_key(name)
    if key in _by_key():
        return _by_key()[key]
    for prefix in _PREFIXES:
        if key.startswith(prefix) and key.removeprefix(prefix) in _by_key():
            return _by_key()[key.removeprefix(prefix)]
    if (numbered := re.fullmatch(r"(.*\D)([2-9])", key)) and numbered[1] in _by_key():
        target, rank = _by_key()[numbered[1]]
        if target in _SEVERAL:  # "Email 2" counts where what stands before it is empty
            return target, rank + _BEHIND * int(numbered[2])
    return None


_SEVERAL, _BEHIND = ("email", "phone"), 100


def mapped_columns(header: Items[str], *, chosen: Mapping[str, str] | None = None) -> ColumnList:
    """Return what the columns of a file hold.

    ``chosen`` is what somebody said, by the names of columns (or ``#3`` for the third); it goes before everything
    else. InvalidArgumentsError names a column or a target that does not exist.
    """
    keys = frozenset(map(column_key, header))
    export = next((known for known in EXPORTS if known.is_of(keys)), None)
    special = {column_key(name): target for name, target in (export.columns if export else {}).items()}
    corrected = _chosen(header, chosen or {})
    columns = []
    for index, name in enumerate(header):
        if index in corrected:
            target, rank = corrected[index], -1
        elif column_key(name) in special:
            target, rank = special[column_key(name)], 0
        else:
            target, rank = _known(name) or (IGNORED, 0)
        columns.append(Column(index=index, name=name, target=target, rank=rank))
    return ColumnList(columns=_without_doubles(columns), export=export.title if export else None)


def _without_doubles(columns: Items[Column]) -> tuple[Column, ...]:
    """Return the columns; in ``Name, Vorname`` and ``nom, prénom`` the name alone is the last name."""
    targets = {column.target for column in columns}
    if "first_name" not in targets or "last_name" in targets:
        return tuple(columns)
    return tuple(
        Column(index=column.index, name=column.name, target="last_name", rank=column.rank)
        if column.target == FULL_NAME and column_key(column.name) in _LAST_BESIDE_FIRST and column.rank >= 0
        else column
        for column in columns
    )


_LAST_BESIDE_FIRST = frozenset(map(column_key, ("name", "naam", "namn", "名前")))


def _chosen(header: Items[str], chosen: Mapping[str, str]) -> dict[int, str]:
    results: dict[int, str] = {}
    for name, target in chosen.items():
        wanted = re.sub(r"[\s-]+", "_", target.strip().casefold()) or IGNORED
        wanted = IGNORED if wanted in ("_", "ignore", "ignored") else wanted
        if wanted not in (*TARGETS, IGNORED):
            raise InvalidArgumentsError(
                f"{target[:60]!r} is nothing that a column can hold.",
                next_step=f"It is one of {', '.join(TARGETS)}, or {IGNORED} for a column that is left out.",
            )
        places = _places(header, name)
        if not places:
            raise InvalidArgumentsError(
                f"The file has no column {name[:60]!r}.",
                next_step=f"Its columns are {', '.join(repr(item[:60]) for item in header[:30])}.",
            )
        results |= dict.fromkeys(places, wanted)
    return results


def _places(header: Items[str], name: str) -> list[int]:
    if re.fullmatch(r"#[0-9]{1,4}", name) and 1 <= int(name[1:]) <= len(header):
        return [int(name[1:]) - 1]
    exact = [index for index, item in enumerate(header) if item == name]
    return exact or [index for index, item in enumerate(header) if column_key(item) == column_key(name) != ""]
