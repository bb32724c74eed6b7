"""Values about a person that would read badly in a sentence: rules of the layer ``values``."""

from __future__ import annotations

from sequences_mcp.domain import invisible
from sequences_mcp.domain.findings import Severity
from sequences_mcp.domain.patterns import LazyPattern
from sequences_mcp.domain.variables import is_blank
from sequences_mcp.guards import casing, headlines, names
from sequences_mcp.guards.rule import PERSON, SHORT, Fact, Rule, Value
from sequences_mcp.guards.words import is_zero, means_nothing


def _missing(value: Value) -> bool:
    """Say whether a reader would see nothing."""
    return is_blank(value.text)


MISSING = Rule(
    id="values.missing",
    severity=Severity.ERROR,
    message="There is nothing in this value.",
    accept=("Jane",),
    reject=("", "  ", "\u200b"),
    source="ours",
    example="value",
    check_value=_missing,
)


_NEVER_ZERO = SHORT - {Fact.OTHER}
_SURNAMES = ("Null", "Nil", "Nan", "Na")


def _nothing(value: Value) -> bool:
    """Say whether a value is a word for none, a spreadsheet's error, or without letters and digits, zeros aside.

    Zeros alone are something in a value whose kind is not known.
    """
    if value.fact is Fact.LAST and value.text.strip() in _SURNAMES:
        return False
    if value.fact in _NEVER_ZERO and is_zero(value.text):
        return True
    if means_nothing(value.text) or not any(character.isalnum() for character in value.text):
        return True
    return value.fact in _NEVER_ZERO and names.has_leftover(value)


NOTHING = Rule(
    id="values.nothing",
    severity=Severity.WARNING,
    message="This is what a program writes for a value it does not have.",
    accept=("Jane", "Nullmann"),
    reject=("null", "None", "N/A", "-", "%%", "to be confirmed", "n/a n/a", "#DIV/0!", "Err:502"),
    source="ours",
    example="value",
    check_value=_nothing,
    facts=SHORT,
)


def _heading(value: Value) -> bool:
    """Say whether a value is such a heading, in the language of any recruiter."""
    return names.is_heading(value) and not names.is_placeholder(value)


HEADING = Rule(
    id="values.heading",
    severity=Severity.WARNING,
    message="This is the heading of a column, or stands behind it.",
    accept=("Jane", "Nomie"),
    reject=("Prénom", "First Name", "VORNAME", "Candidate", "お名前", "Company name", "enter company"),
    source="ours",
    example="value",
    check_value=_heading,
    facts=frozenset({*PERSON, Fact.COMPANY, Fact.TITLE, Fact.PLACE}),
    mends=True,
)


def _placeholder(value: Value) -> bool:
    """Say whether a value stands for one that was never filled in."""
    return names.is_placeholder(value)


PLACEHOLDER = Rule(
    id="values.placeholder",
    severity=Severity.ERROR,
    message="This stands for a value that was never filled in.",
    accept=("Jane", "Here Technologies", "YouTube", "Your Next Step", "Contact Energy"),
    reject=("company_name", "contact.company", "COMPANY-NAME", "your company here", "Ihre Firma hier"),
    source="ours",
    example="value",
    check_value=_placeholder,
    facts=SHORT | {Fact.NOTE},
)


def _sample(value: Value) -> bool:
    """Say whether a name or a company is nobody's."""
    return names.is_sample(value)


SAMPLE = Rule(
    id="values.sample",
    severity=Severity.WARNING,
    message="This is nobody's name: it is from an example or a hidden profile, or was typed to fill the field.",
    accept=("Jane", "Muster & Sons", "Wert", "Aaron", "Azer"),
    reject=("Max Mustermann", "John Doe", "Fulano", "Xxxx", "asdfgh", "qweqwe"),
    source="ours",
    example="value",
    check_value=_sample,
    facts=_NEVER_ZERO,
)


def _lost_letter(value: Value) -> bool:
    """Say whether a letter was lost in a value."""
    return names.has_lost_letter(value)


LOST_LETTER = Rule(
    id="values.lost_letter",
    severity=Severity.WARNING,
    message="A question mark stands here for a letter that was lost: put the letter.",
    accept=("Jane", "Müller"),
    reject=("M?ller", "Jos? M?ller"),
    source="ours",
    example="value",
    check_value=_lost_letter,
    facts=_NEVER_ZERO,
)


def _team(value: Value) -> bool:
    """Say whether a name is nobody's."""
    return names.is_team(value)


TEAM = Rule(
    id="values.team",
    severity=Severity.WARNING,
    message="This is a team or a mailbox, not a person.",
    accept=("Jane", "An", "Job", "Dev"),
    reject=("Sales Team", "HR", "info", "Recruiting", "Équipe RH"),
    source="ours",
    example="value",
    check_value=_team,
    facts=PERSON,
)


def _no_company(value: Value) -> bool:
    """Say whether a company is none, or a title."""
    return names.is_no_company(value)


NO_COMPANY = Rule(
    id="values.no_company",
    severity=Severity.WARNING,
    message="This says that there is none.",
    accept=("Acme", "Freelancer.com"),
    reject=("Unemployed", "Looking for new opportunities", "Between jobs"),
    source="ours",
    example="value",
    check_value=_no_company,
    facts=frozenset({Fact.COMPANY, Fact.TITLE}),
)


def _address(value: Value) -> bool:
    """Say whether a value has one."""
    return names.has_email(value)


ADDRESS = Rule(
    id="values.address",
    severity=Severity.WARNING,
    message="This is an e-mail address or a handle, not a name.",
    accept=("Jane", "Booking.com", "CTO @ Acme"),
    reject=("maria.silva@globex.example", "@maria", "Maria.Silva"),
    source="ours",
    example="value",
    check_value=_address,
    facts=SHORT,
    mends=True,
)


def _quoted(value: Value) -> bool:
    """Say whether marks stand around the whole value."""
    return names.is_quoted(value)


QUOTED = Rule(
    id="values.quoted",
    severity=Severity.WARNING,
    message="This stands in quotes or other marks.",
    accept=("Jane", "O'Brien", "'t Hooft"),
    reject=('"Maria"', "(Maria)", "*Maria*", "«Maria»"),
    source="ours",
    example="value",
    check_value=_quoted,
    facts=SHORT,
    mends=True,
)


def _picture(value: Value) -> bool:
    """Say whether a value has such signs."""
    return names.has_picture(value)


PICTURE = Rule(
    id="values.picture",
    severity=Severity.WARNING,
    message="This has an emoji, a decoration or letters of a style in it.",
    accept=("Jane", "Zoë", "李小龍", "Σ"),
    reject=("Maria 🚀", "★ Maria ★", "𝓜𝓪𝓻𝓲𝓪"),
    source="ours",
    example="value",
    check_value=_picture,
    facts=SHORT,
    mends=True,
)


def _initial(value: Value) -> bool:
    """Say whether a name is one letter, or ends in one."""
    return names.is_initial(value)


INITIAL = Rule(
    id="values.initial",
    severity=Severity.WARNING,
    message="This is an initial, not a name.",
    accept=("Jane", "J.R.", "Bo", "李", "Jean-Luc"),
    reject=("M.", "M", "Maria S."),
    source="ours",
    example="value",
    check_value=_initial,
    facts=PERSON,
    mends=True,
)


def _salutation(value: Value) -> bool:
    """Say whether a name has one, or is one."""
    return names.has_salutation(value)


SALUTATION = Rule(
    id="values.salutation",
    severity=Severity.WARNING,
    message="This has a form of address in it, which a greeting would double.",
    accept=("Jane", "Don", "Martin"),
    reject=("Dr.", "Dr. Maria", "Frau Müller", "Mme Dupont", "田中様"),
    source="ours",
    example="value",
    check_value=_salutation,
    facts=PERSON,
    mends=True,
)


def _more(value: Value) -> bool:
    """Say whether something stands behind the name."""
    return names.has_more(value)


MORE = Rule(
    id="values.more",
    severity=Severity.WARNING,
    message="This has more in it than a name.",
    accept=("Jane", "Maria José", "King, Jr."),
    reject=("Silva, MBA | Hiring!", "Silva (she/her)", "Silva - CEO", "Silva, PhD", "Silva MBA"),
    source="ours",
    example="value",
    check_value=_more,
    facts=PERSON,
    mends=True,
)


def _headline(value: Value) -> bool:
    """Say whether a title or a company is a headline."""
    return headlines.is_headline(value)


HEADLINE = Rule(
    id="values.headline",
    severity=Severity.WARNING,
    message="This has more in it than a title, a company or a place: a headline of a profile, or a note.",
    accept=("CTO", "VP, Sales & Marketing", "Booking.com", "A·B Labs", "Häagen-Dazs", "Yahoo!", "Head of Hiring"),
    reject=(
        "Acme | Hiring",
        "Acme - We are hiring!",
        "Acme (contract)",
        "Acme (Werkstudent)",
        "Acme - DO NOT CONTACT",
        "at Acme",
        "CTO | Speaker | Dad",
        "Engineer @ Acme | Hiring",
        "Coach · Author · Mum",
    ),
    source="ours",
    example="value",
    check_value=_headline,
    facts=frozenset({Fact.TITLE, Fact.COMPANY, Fact.PLACE}),
    mends=True,
)


def _loose_end(value: Value) -> bool:
    """Say whether a sign is left at an end."""
    return names.has_loose_end(value)


LOOSE_END = Rule(
    id="values.loose_end",
    severity=Severity.WARNING,
    message='This begins or ends with a sign that would be doubled: "Hi Maria,,".',
    accept=("Jane", "J.R.", "King Jr."),
    reject=("Maria,", "Maria.", "Maria -", ", Maria"),
    source="ours",
    example="value",
    check_value=_loose_end,
    facts=SHORT,
    mends=True,
)


def _digits(value: Value) -> bool:
    """Say whether digits stand where none belong."""
    return names.has_digits(value)


DIGITS = Rule(
    id="values.digits",
    severity=Severity.WARNING,
    message="This has digits where a name has none.",
    accept=("Jane", "John 3rd"),
    reject=("Maria2", "12345"),
    source="ours",
    example="value",
    check_value=_digits,
    facts=frozenset({*PERSON, Fact.TITLE, Fact.PLACE, Fact.COMPANY}),
    mends=True,
)


def _casing(value: Value) -> bool:
    """Say whether the letters' case is a form's and not a sentence's."""
    return casing.is_miscased(value)


CASING = Rule(
    id="values.casing",
    severity=Severity.WARNING,
    message="This is all in capitals or all in small letters.",
    accept=("Jane", "McDonald", "van der Berg", "J.R.", "Al", "李", "de"),
    reject=("MARIA", "maria", "mARIA", "JEAN-LUC", "o'brien"),
    source="ours",
    example="value",
    check_value=_casing,
    facts=frozenset({*PERSON, Fact.TITLE, Fact.PLACE}),
    mends=True,
)


_BLANKS = LazyPattern(r"\s{2,}|[\u2000-\u200a\u3000]")


def _spacing(value: Value) -> bool:
    """Say whether two blanks follow one another."""
    return _BLANKS.search(value.text.strip()) is not None


SPACING = Rule(
    id="values.spacing",
    severity=Severity.WARNING,
    message="This has blanks in it that do not belong there.",
    accept=("Jane", "Maria José"),
    reject=("Maria  José",),
    source="ours",
    example="value",
    check_value=_spacing,
    facts=PERSON,
    mends=True,
)


_MARKS = LazyPattern(r"[{}\[\]<>｛｝［］【】＜＞⟦⟧«»‹›❴❵]|&#?\w{1,32};|__|%\w+%|\*\||\$\w*\{|^\s*=")


# «Яндекс», behind the company's form or in Cyrillic letters; [x]cube, Code[ish].
_QUOTED_NAME = LazyPattern(r"(?<=[^\W\d_] )«[^«»]{2,80}»|«[^«»]{0,40}[\u0400-\u04ff][^«»]{0,40}»")
_PART_OF_A_WORD = LazyPattern(r"(?<=\w)\[\w{1,8}\]|\[\w{1,8}\](?=\w)")


def _marks(value: Value) -> bool:
    """Say whether a value has such marks."""
    text = value.text
    if value.fact is Fact.COMPANY:
        text = _QUOTED_NAME.sub(" ", _PART_OF_A_WORD.sub("", text))
    return bool(_MARKS.search(text))


MARKS = Rule(
    id="values.marks",
    severity=Severity.WARNING,
    message="This value has marks of a template, of markup or of a formula in it.",
    accept=("O'Connor & Sons", "CTO | Founder"),
    reject=("«Acme» Ltd", "Acme <3", "= Acme"),
    source="ours",
    example="value",
    check_value=_marks,
    facts=SHORT,
)


_BREAK = LazyPattern("[\t\r\n\ufffd]")
_NOT_READ = "\ufffd"


def _control(value: Value) -> bool:
    """Say whether a value has such characters, or one that stands for what could not be read.

    A note may have lines.
    """
    text = value.text.strip()
    is_broken = _NOT_READ in text if value.fact is Fact.NOTE else bool(_BREAK.search(text))
    return is_broken or any(True for _ in invisible.hidden_spans(text, direction=value.fact is Fact.NOTE))


CONTROL = Rule(
    id="values.control",
    severity=Severity.ERROR,
    message="This value has characters in it that cannot be seen.",
    accept=("Jane", "می\u200cخواهم", "葛\U000e0100城", "Zoë ❤\ufe0f"),
    reject=("Jane\x00", "Jane\nBcc: x@evil.test", "Ja\u200bne", "\u202eenaJ", "Jane\ufe01", "Jane\u2800"),
    source="ours; Unicode TR 36, 3",
    example="value",
    check_value=_control,
    mends=True,
)


_LONGEST = 200


def _long(value: Value) -> bool:
    """Say whether a value is that long."""
    return len(value.text) > _LONGEST


LONG = Rule(
    id="values.long",
    severity=Severity.WARNING,
    message="This value is longer than any name or title.",
    accept=(
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    ),
    reject=(
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    ),
    source="ours",
    example="value",
    check_value=_long,
    facts=SHORT,
)


_RIGHT_TO_LEFT = LazyPattern("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")


def _direction(value: Value) -> bool:
    """Say whether a value has letters written from right to left."""
    return bool(_RIGHT_TO_LEFT.search(value.text))


DIRECTION = Rule(
    id="values.direction",
    severity=Severity.WARNING,
    message="This value is written from right to left.",
    accept=("Jane", "Иван"),
    reject=("محمد", "דוד"),
    source="ours",
    example="value",
    check_value=_direction,
    facts=SHORT,
)


_LINK = LazyPattern(r"(?i:://|\bwww\.)|\b[a-z0-9-]{2,63}\.(?:com|org|io|de|fr|eu|uk|es|it|nl)/\w")


def _link(value: Value) -> bool:
    """Say whether a value has a web address."""
    return bool(_LINK.search(value.text))


LINK = Rule(
    id="values.link",
    severity=Severity.WARNING,
    message="This value has a web address in it.",
    accept=("Booking.com", "Node.js developer"),
    reject=("https://evil.test", "www.evil.test"),
    source="ours",
    example="value",
    check_value=_link,
    facts=SHORT,
)
