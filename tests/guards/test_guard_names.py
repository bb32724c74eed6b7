"""Values about people: what would look wrong in a sentence is told with the likely value; names are left alone."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.world.texts import CHARACTERS

from sequences_mcp.domain.findings import Severity
from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.guards import names
from sequences_mcp.guards.check import check_value
from sequences_mcp.services.blueprints import valid_name

# Each value, and after ⇒ the likely right one where it can be told.
WRONG = {
    "first_name": """
        Maria, ⇒ Maria | MARIA ⇒ Maria | maria ⇒ Maria | M. | Dr. | "Maria" ⇒ Maria | Maria 🚀 ⇒ Maria
        maria.silva@globex.example ⇒ Maria | 12345 | Maria2 ⇒ Maria | Sales Team | HR | info | Recruiting | Prénom
        Name | Vorname | First Name | Candidate | test | Mr Maria ⇒ Maria | Dr. Maria ⇒ Maria | Mme
        (Maria) ⇒ Maria | Frau Müller ⇒ Müller | Maria S. ⇒ Maria | JEAN-LUC ⇒ Jean-Luc | *Maria* ⇒ Maria
        MARÍA JOSÉ ⇒ María José
        O'BRIEN ⇒ O'Brien | MCDONALD ⇒ McDonald | İBRAHİM ⇒ İbrahim | мария ⇒ Мария | ИВАН ⇒ Иван | Maria™ ⇒ Maria
        Silva, Maria ⇒ Maria | Maria (she/her) ⇒ Maria | Elizabeth (Liz) ⇒ Elizabeth | Maria/Marie ⇒ Maria
        ★Maria★ ⇒ Maria | 𝓜𝓪𝓻𝓲𝓪 ⇒ Maria | Ｍａｒｉａ ⇒ Maria | 田中様 ⇒ 田中 | @maria ⇒ Maria | mARIA ⇒ Maria
        Sir or Madam | n.n. | sin nombre | Name nicht bekannt
        Maria - Talent Partner ⇒ Maria | Hiring Manager | Équipe RH | Team Acme | There | No Name | Имя
        Maria da Silva Santos Oliveira ⇒ Maria | Maria. ⇒ Maria | ¡Maria! ⇒ Maria | Maria #OpenToWork ⇒ Maria
        Maria  José ⇒ Maria José | お名前 | 채용담당자 | Everyone | Human Resources | Kundenservice
        不明 | 未知 | 없음 | İsim | Private Profile | LinkedIn-Mitglied | (blank) | pending | Testy McTest | Fulano
        Max Mustermann | Mustermann | Xxxx | Aaaa | asdfgh | qweqwe | yxcvbn | Mariaaaa | фывапр | MaRiA ⇒ Maria
        Maria's ⇒ Maria | Duplicate Maria ⇒ Maria | Maria copy ⇒ Maria | Maria deceased ⇒ Maria | † Maria ⇒ Maria
        zzMaria ⇒ Maria | zz Maria ⇒ Maria | a) Maria ⇒ Maria | 1. Maria ⇒ Maria | Maria call monday ⇒ Maria
        see LinkedIn | We're hiring | Maria is hiring ⇒ Maria | Maria CTO ⇒ Maria | VIP Maria ⇒ Maria
        Maria she/her ⇒ Maria | todo: find name | attn Maria ⇒ Maria | z.Hd. Maria ⇒ Maria | Fräulein
        Please select | First Last | Valued Customer | Anonymous User | Maria from LinkedIn ⇒ Maria
        LinkedIn Maria ⇒ Maria
        Maria B.Sc. ⇒ Maria | Dr.-Ing. Maria ⇒ Maria | Maria neu ⇒ Maria | 00Q5e000001abcd | Fam. Müller
        Geschäftsführer | Student | Guest | Mar?a | undefined Silva | Maria null | 王（小明） ⇒ 王
        """,
    "last_name": """
        SILVA ⇒ Silva | silva ⇒ Silva | S. | PhD | Smith, PhD, MBA ⇒ Smith | Dr. Silva ⇒ Silva | Jones CPA ⇒ Jones
        Nachname | van der berg ⇒ van der Berg | VAN DER BERG ⇒ van der Berg | Silva 🚀 ⇒ Silva | HR Team
        Silva deceased ⇒ Silva | null | NULL
        MÜLLER-LÜDENSCHEIDT ⇒ Müller-Lüdenscheidt | Silva (she/her) ⇒ Silva | Silva, M.D. ⇒ Silva | Cognome
        """,
    "candidateCompanyName": """
        Company | Entreprise | Acme, ⇒ Acme | "Acme" ⇒ Acme | Self-employed | Stealth Startup | info@acme.example
        Acme 🚀 ⇒ Acme | 会社名 | N/A | Sans emploi | M?ller GmbH | null GmbH | 12345 | €50k | 01.01.2020 | S.A.
        Unknown Company | Company XYZ | XYZ | ABC GmbH | Test Company | Musterfirma GmbH | XX公司 | Example Inc
        Various clients | privat | University | same as above | see above | Full-time | Show all | 51-200 employees
        Acme (ex) | ex-Acme | formerly Acme | Acme (bis 2023) | Acme (2019-2023) | Acme - lost ⇒ Acme
        Acme DO NOT CONTACT ⇒ Acme | Acme (client) ⇒ Acme | Acme (check) ⇒ Acme | Acme (maybe) ⇒ Acme
        Acme (?) ⇒ Acme | Acme ? ⇒ Acme | Acme?? ⇒ Acme | Acme - see notes ⇒ Acme | Acme TODO ⇒ Acme
        probably Acme ⇒ Acme | Acme GmbH (via recruiter) ⇒ Acme GmbH | Acme c/o Tom ⇒ Acme | Acme logo ⇒ Acme
        Acme and 3 others ⇒ Acme | Acme +2 more ⇒ Acme | Acme, ... ⇒ Acme | Acme… ⇒ Acme | Acme 2 yrs ⇒ Acme
        Acme (12,345 followers) ⇒ Acme | CTO at Acme ⇒ Acme | Software Engineer bei Acme ⇒ Acme
        Company: Acme ⇒ Acme | company=Acme ⇒ Acme | Acme (closed) ⇒ Acme | Acme (2) ⇒ Acme | Acme #12345 ⇒ Acme
        DUPLICATE - Acme ⇒ Acme | zzz Acme ⇒ Acme | Jobs bei Acme ⇒ Acme | Acme – Karriere ⇒ Acme | Acme) ⇒ Acme
        'Acme ⇒ Acme | Acme, Acme ⇒ Acme | Other | No company | Stealth Fintech | In stealth | NDA
        Test 123 | Company Inc | the company | my employer
        Acme - CTO ⇒ Acme | Acme: CTO ⇒ Acme | Acme - LinkedIn ⇒ Acme | {code} | <kes>
        """,
    "job_title": """
        Job Title | Poste | SENIOR SOFTWARE ENGINEER ⇒ Senior Software Engineer | CEO, ⇒ CEO | 12345
        Head of Sales 🚀 ⇒ Head of Sales | SVP ENGINEERING ⇒ SVP Engineering
        #hiring | Helping companies grow 10x | Software Engineer · 3 yrs ⇒ Software Engineer | CTO (check) ⇒ CTO
        title: CTO ⇒ CTO | CTO, CTO ⇒ CTO | (CTO ⇒ CTO | CTO at ⇒ CTO | CTO! ⇒ CTO | Former CTO | Ex-CTO
        CTO until 2023
        2019 - Present | CTO (m/w/d) gesucht | Looking for CTO | Open to work - CTO ⇒ CTO
        I am a software engineer
        CTO #opentowork ⇒ CTO | see CV | kein Titel | asdfgh | 3 yrs 2 mos
        Looking for new opportunities | Auf Jobsuche | unemployed | auf jobsuche
        """,
    "location": """
        City: Berlin ⇒ Berlin | Berlin;Munich ⇒ Berlin | Berlin and 3 others ⇒ Berlin | Berlin (check) ⇒ Berlin
        Musterstadt | Anytown | Multiple locations | see CV | Please select
        City | Berlin? ⇒ Berlin | PARIS ⇒ Paris | paris ⇒ Paris | Ort
        New York, ⇒ New York | 75001 | NEW YORK ⇒ New York
        """,
}
RIGHT = {
    "first_name": """
        Maria | Jean-Luc | María José | Zoë | Al | Bo | J.R. | JR | TJ | 李 | 李小龍 | Nguyễn | Ng | McDonald
        DeShawn | LaToya | d'Arcy | O'Brien | D’Angelo | An | Do | May | Job | Dev | Don | Bay | Иван | さくら
        김 | 민수 | नरेन्द्र | Ólafur | Søren | Łukasz | Đặng | Mary Ann | J. K. | St. John | Anne-Sophie
        Ana | Lee | Ian | Max | Azer | Wert | Aaron | Siiri | Nguyễn Văn | Ka'ahumanu | JoJo | Jae-in | Nur ul Huda
        Art | Grace | Christian | Prince | Lu | Xi | Œuvre | X Æ | Jan | Mag | Ing-Marie | Ngọc Ánh | M'Baye | Md
        """,
    "last_name": """
        Silva | van der Berg | de | de la Cruz | O'Brien | 't Hooft | McDonald | MacLeod | Ng | Wu | 李 | Smith Jr.
        King, Jr. | Smith III | Smith-Jones | St. John | Sales | Jobs | Day | von Neumann | Al-Farsi | al-Rashid
        D'Souza | Ó Briain | Сидоров | Null | Ma | Do | Lt | Nguyễn
        Meng | Beng | Wertz | Sample | Person | Sender | Blank | Guest | Demo | Student | Gaudí i Cornet
        in 't Veld | O’Neil
        """,
    "candidateCompanyName": """
        ACME | Acme Inc. | acme | adidas | Yahoo! | 37signals | 3M | AT&T | R&D Partners | Booking.com | SAP SE
        H&M | 株式会社 | C&A | E.ON | Toys "R" Us | Amazon Web Services (AWS) | 1&1 | ÖBB
        Ernst & Young GmbH & Co. KG | [x]cube LABS | Code[ish] | ООО «Яндекс» | Société « Les Amis » | n°5 | 360°
        腾讯科技（深圳）有限公司 | 株式会社ＮＴＴドコモ | （株）日立製作所 | ㈱東芝 | m[y]space | [24]7.ai | Guess?
        Which? | Bücher.de | SAP SE & Co. KG | Ex Libris | Via Transportation | Get Your Guide | Student.com
        X (formerly Twitter) | Bosch Rexroth (Deutschland) | AAA | X Corp | Muster & Sons | ABC News | Testo SE
        Test IO | Null Industries | Undefined Labs | None More Studio | СберTech | First 5 Years | 20 Minuten | 3
        500 | Nothing
        The University of Texas at Austin | Inn at Perry Cabin | CTO Craft | Founders Factory | Blank Rome LLP
        """,
    "job_title": """
        CTO | VP Sales | software engineer | Head of R&D | Engineer (m/w/d) | C++ Developer | Recruiter | Manager
        営業（東京） | Helping Teacher | #1 Realtor | Test Engineer | Lehrer*in | Owner
        HR Manager | Sr. Engineer | SVP, Engineering | Developer @ Acme | 営業部長
        """,
    "location": """
        Paris | USA | UK | NYC | São Paulo | 's-Hertogenbosch | Paris, France | Paris (75) | 東京
        Westward Ho! | 's-Heer Arendskerke | Bozen – Bolzano | Biel/Bienne | Washington, D.C.
        Île-de-France | Remote
        """,
}


def rows(table: dict[str, str]) -> list[tuple[str, str]]:
    """Return each name with each of its values."""
    return [
        (name, value.strip())
        for name, values in table.items()
        for line in values.strip().split("\n")
        for value in line.split(" | ")
    ]


HEADLINES = [
    ("job_title", "Engineer at Acme | Speaker | Dad ⇒ Engineer at Acme"),
    ("job_title", "Engineer @ Acme | Hiring ⇒ Engineer"),
    ("job_title", "Coach • Author • Mum ⇒ Coach"),
    ("job_title", "engineer | speaker | dad ⇒ engineer"),
    ("company", "Acme | We are hiring ⇒ Acme"),
    ("company", "Acme // Payments ⇒ Acme"),
]


@pytest.mark.parametrize(
    ("name", "row"), [*rows(WRONG), ("first_name", "Silva, MBA | Hiring! ⇒ Silva"), *HEADLINES]
)
def test_a_value_that_would_look_wrong_is_a_warning_with_the_likely_value(name: str, row: str) -> None:
    value, _, fix = row.partition(" ⇒ ")
    found = check_value(name, value)
    assert [finding.severity for finding in found] == [Severity.WARNING]
    assert found[0].fix == (fix or None)
    assert (found[0].start, found[0].end) == (0, len(value))
    assert not fix or check_value(name, fix) == ()


@pytest.mark.parametrize(("name", "value"), [*rows(RIGHT), ("job_title", "CTO | Founder")])
def test_a_name_as_people_have_it_is_left_alone(name: str, value: str) -> None:
    assert [(finding.rule, finding.fix) for finding in check_value(name, value)] == []


@pytest.mark.parametrize("value", ["क्\u200dष", "می\u200cخواهم", "葛\U000e0100城"])
def test_a_name_is_written_with_the_joiners_and_selectors_of_its_script(value: str) -> None:
    assert {finding.rule for finding in check_value("first_name", value)} <= {"values.direction"}


def test_a_name_with_something_hidden_is_refused_with_the_name_that_is_seen() -> None:
    (found,) = check_value("first_name", "Ja\u200bne")
    assert (found.severity, found.fix) == (Severity.ERROR, "Jane")


@pytest.mark.parametrize("value", ["null", "None", "undefined", "NaN", "#N/A", "FIRST_NAME", "FirstName", "#REF!"])
def test_a_first_name_that_a_program_left_behind_is_refused(value: str) -> None:
    assert Severity.ERROR in {finding.severity for finding in check_value("firstname", value)}


@pytest.mark.parametrize(
    "value",
    [
        *(
            "LinkedIn Member",
            "Deleted User",
            "Founder",
            "Head of People",
            "Acme GmbH",
            "John and Jane",
            "Maria aka Mia",
        ),
        *("Hi Maria", "Mаria", "MArIA", 'Maria "Mia" Silva', "Maria…", "Maria €", "Mar?a", "True", "Confidential"),
    ],
)
def test_a_first_name_that_is_nobodys_or_was_typed_by_a_form_is_told_of(value: str) -> None:
    assert check_value("firstname", value)


@pytest.mark.parametrize("value", ["Ho", "Adi", "Ten", "ნინო", "Dean", "Will", "LaToya", "MacKenzie", "Đức"])
def test_a_short_name_that_is_a_heading_without_its_accents_is_a_name(value: str) -> None:
    assert check_value("firstname", value) == ()


@pytest.mark.parametrize(
    "value", ["hook", "insert hook", "(icebreaker)", "your *company*", "**bold**", "Opening line:"]
)
def test_a_value_that_is_still_to_be_written_or_has_signs_of_markdown_is_told_of(value: str) -> None:
    assert check_value("hook", value)
    assert check_value("notes", value)


def test_the_name_of_a_blueprint_hides_nothing() -> None:
    for name in ("Rust\u200b hires", "Rust\ufe01\ufe02", "\u202eRust"):
        with pytest.raises(InvalidArgumentsError, match="cannot be seen"):
            valid_name(name)
    assert valid_name(" Rust ❤\ufe0f 採用 ") == "Rust ❤\ufe0f 採用"


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_the_quick_look_for_suspicious_words_overlooks_none(data: st.DataObject) -> None:
    text = data.draw(st.from_regex(names._SUSPICIOUS_WORDS.compiled, fullmatch=True, alphabet=CHARACTERS))
    assume(text.isascii())
    for written in (text, text.upper(), f"Staff {text} 7"):
        assert names._SUSPICIOUS_WORDS.may_match(written.lower())


EMPTY_CELLS = (
    *(
        "0",
        "0.0",
        "0,00",
        "-0",
        "00/00/0000",
        "0 %",
        "$0",
        "0E+00",
        "\uff10",
        "FALSE",
        "NaN",
        "<NA>",
        "-",
        "\u2014",
    ),
    *("#REF!", "#N/A", "#DIV/0!", "#NAME?", "#VALUE!", "#NUM!", "#NULL!", "#SPILL!", "#ERROR!", "#BEZUG!", "#NV"),
    *("#\u00a1DIV/0!", "#\u00bfNOMBRE?", "#N/D", "Err:502", "err:522", "Error 504", "####", "Loading..."),
)


@pytest.mark.parametrize("value", EMPTY_CELLS)
@pytest.mark.parametrize("name", ["company_name", "job_title"])
def test_what_a_spreadsheet_shows_for_an_empty_or_failed_cell_is_told_of(name: str, value: str) -> None:
    assert "values.nothing" in {finding.rule for finding in check_value(name, value)}


@pytest.mark.parametrize(
    "value", ["1&1", "3M", "37signals", "7-Eleven", "0x", "10x", "8", "500", "0patch", "Error Studios", "C# Labs"]
)
def test_a_company_with_digits_in_its_name_is_left_alone(value: str) -> None:
    assert "values.nothing" not in {finding.rule for finding in check_value("company_name", value)}
