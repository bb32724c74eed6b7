"""Other products' template languages: rules of the layer ``foreign``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from sequences_mcp.domain.findings import Severity
from sequences_mcp.domain.patterns import LazyPattern
from sequences_mcp.guards.drafts import headings
from sequences_mcp.guards.fact_names import is_surely_unfilled
from sequences_mcp.guards.rule import Rule
from sequences_mcp.guards.text import GuardedText, Hit
from sequences_mcp.guards.views import Pair, TextView, greetings
from sequences_mcp.guards.words import has_field, is_field, is_name

_STATEMENT = LazyPattern(
    r"\{[%#][-+]?|[-+]?[%#]\}|<%[-=#@!]?|-?%>|<\?(?:php|=)?|\?>|%%\[|\]%%|%%=|=%%|\*\|[\w:!. -]{1,60}\|\*|"
    r"</?#\w*|\[%|(?m:^|(?<=\s))[#@](?:if|else|elseif|endif|end|set|foreach|endforeach)\b(?:\s?\(|$)",
    needs=(
        *("{%", "{#", "%}", "#}", "<%", "%>", "<?", "?>", "%%", "*|", "<#", "</#", "[%", "#if", "#e"),
        *("#set", "#for", "@if", "@e", "@set", "@for"),
    ),
)


def _statement(text: GuardedText) -> Iterable[Hit]:
    """Return every opening or closing mark of a statement."""
    return text.hits(_STATEMENT)


STATEMENT = Rule(
    id="foreign.statement",
    severity=Severity.ERROR,
    message="This belongs to another template language and would be sent as it stands.",
    accept=("100 % remote, 50%-60%", "C# / F#", "Is x > y?", "#hiring"),
    reject=("{% if x %}", "<%= firstname %>", "*|FNAME|* – quick question", "%%=v(@name)=%%", "#if($x)"),
    source="ours",
    check=_statement,
    signs=frozenset("%<>|#@"),
)


_BRACES = LazyPattern(r"\{[^{}|\n]{0,100}(?:\{[^{}\n]{0,100}\}[^{}|\n]{0,100})?\|[^{}\n]{0,300}\}?", needs=("|",))
_SET = LazyPattern(r"\{\s?\(?[a-z][^|]{0,20} \| ")
_PARENTHESES = LazyPattern(r"(?<![\w^$\\])\([^\W\d_][\w ]{1,40}(?:\|[^\W\d_][\w ]{1,40}){1,9}\)", needs=("|",))

_SLASHED = LazyPattern(r"([^\W\d_]{2,12})/([^\W\d_]{2,12})(?=[ ,])")
_TITLES = LazyPattern(
    r"(?<!\w)(?:Mr\.?\s?/\s?(?:Mrs|Ms|Mx)\.?|M\.?\s?/\s?Mme|Mrs?\.?\s?/\s?M[rsx]{1,2}\.?|Sr\.?\s?/\s?Sra\.?|"
    r"Sig\.?\s?/\s?Sig\.?ra|Herrn?\s?/\s?Frau|Frau\s?/\s?Herrn?)(?=\s?[,\ufdd0]|\s\S{1,30},|\s*$)",
    needs=("/m", "/ m", "/s", "/ s", "/h", "/ h", "/f", "/ f"),
    signs="MSHF",
)


def _spintax(text: GuardedText) -> Iterator[Hit]:
    """Return every set of alternatives; of greetings in parentheses, or ``{x | x > 0}``, it may be meant."""
    for view in text.views:
        for match in view.find(_BRACES):
            yield Hit(*view.span(*match.span()), severity=Severity.WARNING if _SET.match(match[0]) else None)
        for match in view.find(_PARENTHESES):
            if greetings(match[0][1:].replace("|", " ")):
                yield Hit(*view.span(*match.span()), severity=Severity.WARNING)
        for line in view.lines if "/" in view.letters else ():
            slashed = _SLASHED.match(line.bare) if "/" in line.bare[:13] else None
            if slashed and all(greetings(f"{word} ") for word in slashed.groups()):
                yield Hit(*view.span(line.start, line.start + slashed.end()), severity=Severity.WARNING)
        for greeted in _gendered(view) if view.signs_any("/(*:") else ():
            yield Hit(*view.span(*greeted), severity=Severity.WARNING)
        for match in view.find(_TITLES):
            yield Hit(*view.span(*match.span()), severity=Severity.WARNING)


# "Liebe/r Maria": the ending was for the writer to choose. "Liebe Leser:innen" and "Cher(e)s" address both.
_ENDING = LazyPattern(r"(?P<word>[^\W\d_]{3,12})[/(*:]-?(?P<ending>r|e|a|o|s)\)?[ ,]")


def _gendered(view: TextView) -> Iterator[tuple[int, int]]:
    """Yield a greeting at the beginning of a text whose ending is still to be chosen."""
    for line in view.lines[:3]:
        if (match := _ENDING.match(line.bare[:24])) and greetings(f"{match['word']} "):
            yield line.start, line.start + match.end() - 1


SPINTAX = Rule(
    id="foreign.spintax",
    severity=Severity.ERROR,
    message="Nobody chooses between alternatives: keep one.",
    accept=("||x|| = 1", "Rust | Go | Zig", "(Rust|Go|Zig)"),
    reject=(
        "{Hi|Hello} {{firstname}},",
        "Hi/Hello {{firstname}},",
        "Dear Mr./Ms. {{lastname}},",
        "Liebe/r {{firstname}},",
        "{Hi {there|you}|Hello}",
        "(Hi|Hello) Jean",
    ),
    source="ours",
    check=_spintax,
    signs=frozenset("|/"),
)


_PERCENT = LazyPattern(
    r"%(?:\((?<![\w%].{2})\w{1,40}\)[sd]|(?<![\w%].)\d{1,2}\$[-+]?\d*[sdf@]|%[A-Za-z_][\w.: -]{0,60}%%?|"
    r"(?<![\w%/=&?].)(?![0-9A-Fa-f]{2}%)[A-Za-z_][\w.]{1,60}%(?![0-9A-Fa-f]{2})|(?<!\w.)(?<!\d .)[sd](?!\w))",
    needs=("%",),
)
_ANGLES = LazyPattern(r"<<\s?[^\W\d][^<>\n]{0,60}>>|>>\w{2,40}<<|##\w{2,40}##", needs=("<<", "##"))
# Both begin with a set and look back from there: the search then skips all other letters.
_WRAPPED = LazyPattern(
    r"([!^@:|#$%=+_~/\\?-])(?<![\w!^@:|#$%=+~/\\?-].)\1{0,2}(?P<name>[A-Za-z](?:\w{0,40}?[A-Za-z0-9])?)\1{1,3}(?![\w/])"
)
_EMPHASIS = LazyPattern(r"_[^_]")
_PREFIXED = LazyPattern(r"([$:&@!])(?<![\w$\\&.].)\$?([A-Za-z_]\w{1,40})(?![\w./])")
# A path to a fact behind a sign: "@Model.FirstName", "##Contact.FirstName##", "$contact.name".
_PATH = LazyPattern(
    r"([$&@#%~])(?<![\w$\\&./{].)\1?\$?(?P<path>[A-Za-z_]\w{1,40}(?:\.\w{1,40}){1,3})\1{0,2}(?![\w/@-])"
)
# Begins with its sign and looks back from there: the search then skips all other letters.
_FORMULA = LazyPattern(
    r"=(?:(?<=[A-Za-z] =)|(?<![\w=<>!+.,;:|)\]-].)(?<![\w)\]\"'] .))"
    r"(?:[A-Z]{2,12}(?:\.[A-Z]{1,8})?\([^()\n]{0,80}\)?|\$?[A-Z]{1,2}\$?\d{1,5}(?=[,.!?;:\s)]|$))",
    signs="=",
)
_POSITION = LazyPattern(r"\$(?<![\w$/].)[1-9](?=\s|$)", needs=("$",))


def _sigil(text: GuardedText) -> Iterator[Hit]:
    """Return every tag that its form, or the name in it, gives away; ``$1`` may be a price."""
    yield from text.hits(_PERCENT)
    yield from text.hits(_ANGLES)
    for view in text.views:
        for match in view.find(_WRAPPED):
            if not _EMPHASIS.match(match[0]) and is_field(match["name"]):
                is_uncertain = match[1] in "/\\?"  # a path, an expression
                yield Hit(*view.span(*match.span()), severity=Severity.WARNING if is_uncertain else None)
        for match in view.find(_PREFIXED):
            if is_field(match[2]) if match[1].startswith("$") else is_name(match[2]):
                yield Hit(*view.span(*match.span()))
        for match in view.find(_PATH):
            if is_surely_unfilled(match["path"]):
                yield Hit(*view.span(*match.span()))
    yield from text.hits(_FORMULA)
    for hit in text.hits(_POSITION):
        yield hit._replace(severity=Severity.WARNING)


SIGIL = Rule(
    id="foreign.sigil",
    severity=Severity.ERROR,
    message="This is another tool's merge tag and would be sent as it stands.",
    accept=("100 % remote, 50%-60%", "$100k–$120k", "user_name", "__init__", "https://acme.com/%C3%A9quipe"),
    reject=(
        "Hi %FIRSTNAME%,",
        "Hi $firstname,",
        "Hi -firstname-,",
        "Hi <<First Name>>,",
        "Hi %(name)s,",
        "$1 a day",
    ),
    source="ours",
    check=_sigil,
    signs=frozenset("!^@:|#$%=+_~<>&/\\?-"),
)


_LOOK_BACK = 80
_KEYWORD = LazyPattern(
    r"\b(?:const|let|var|import|export|struct|interface|enum|class|function|func|fn|return|type|new|else|try|do)\b"
    r"[^\n{}]{0,60}\Z"
)
_CODE_BEFORE = LazyPattern(r"[)=]\s?\Z|\w\Z")
_CODE_AFTER = (" =", ";", " from")
_CODE_INSIDE = LazyPattern(r"[:;=,\"']")
_FALLBACK = LazyPattern(r"(\w{1,40})[:=?]\S")
_STATEMENTS = LazyPattern(r"\s*(?:[\"'][\w -]{1,40}[\"']\s*:|[^{};]{1,80};(?:\s|$))")
_STYLE = LazyPattern(r"[a-z-]{2,30}\s?:\s?[^{}:\s]")
_NUMBERS = LazyPattern(r"\d*,?\d*|\d+(?:\s*,\s*\d+)+")
_LATEX = LazyPattern(r"(?:[\^_]|\\[A-Za-z]{1,20}\*?(?:\[[^\[\]{}]{0,40}\]|\{[^{}]{0,40}\}){0,3})\Z")


def _single_brace(text: GuardedText) -> Iterator[Hit]:
    """Yield every single-braced word; in code or in a URL only as a warning."""
    for view in text.views:
        for pair in view.braces.pairs:
            if not _is_doubled(view.text, pair) and (severity := _judge(view, pair)):
                yield Hit(*view.span(pair.open, pair.close + 1), severity=severity)


def _is_doubled(text: str, pair: Pair) -> bool:
    # Doubled braces are checked by the rules about variables.
    return "{" in (text[pair.open - 1 : pair.open], text[pair.open + 1 : pair.open + 2])


def _judge(view: TextView, pair: Pair) -> Severity | None:
    inner = view.text[pair.open + 1 : pair.close].strip()
    before = view.text[max(0, pair.open - _LOOK_BACK) : pair.open]
    if "|" in inner or _is_fine(inner, before):
        return None
    if not inner or "://" in before.replace("\n", " ").rpartition(" ")[2]:
        return Severity.WARNING
    if before.endswith(("$", "#", "@")):
        return Severity.WARNING if inner.isupper() and not has_field(inner) else Severity.ERROR
    if (fallback := _FALLBACK.match(inner)) and is_name(fallback[1]):
        return Severity.ERROR
    if _KEYWORD.search(before):
        return Severity.WARNING
    is_code = _CODE_BEFORE.search(before) or view.text.startswith(_CODE_AFTER, pair.close + 1)
    return Severity.WARNING if (is_code or _CODE_INSIDE.search(inner)) and not is_field(inner) else Severity.ERROR


def _is_fine(inner: str, before: str) -> bool:
    attached = before[-1:].isalnum() or before.endswith(("]", "}", ")", "@"))
    if not inner:
        return attached or before.rstrip().endswith(("=", "(", ")", ":", "return", "{"))
    if _LATEX.search(before):
        return not has_field(inner)
    if _NUMBERS.fullmatch(inner):
        return attached or "," in inner
    return bool(_STATEMENTS.match(inner)) or (attached and bool(_STYLE.match(inner)))


SINGLE_BRACE = Rule(
    id="foreign.single_brace",
    severity=Severity.ERROR,
    message="Single braces are not filled in: a variable has two.",
    accept=("func f(x interface{}) error", "a{2,3}b", "HEAD^{tree}", "\\frac{1}{2}", '{"a": 1}'),
    reject=("Hi {FirstName},", "Hi {0},", "Hi #{firstname},", "Hi ｛firstname｝,", "const {data} = f()"),
    source="ours",
    check=_single_brace,
    signs=frozenset("{"),
)


_NOTHING = r"(?i:null|none|undefined|nan|nil|n/a|unknown|inconnu|unbekannt|desconocido|#(?:ref|name|value)!|#n/a)"
_GREETED = LazyPattern(rf"[(\"'“<]?{_NOTHING}(?=[)\"'”>]?\s?[,!.:;?\n]|[)\"'”>]?\s*$|\s+{_NOTHING})")
_ANYWHERE = LazyPattern(
    r"\[object \w{1,20}\]|#(?:REF|NAME|VALUE|NULL|DIV/0|NUM)[!?]|#N/A|\b(?:undefined undefined|null null)\b|"
    r"\b[Ii]nvalid [Dd]ate\b|(?<![\w.])(?:NaN|null|undefined)\s?(?:[kKM]?[€$£%]|(?:k€|euros?|dollars?|"
    r"EUR|USD|GBP|CHF|PLN|ans|years|Jahre|años)\b)|"
    r"\b(?i:at|chez|bei|with|for|in) \((?:blank|empty|leer|vide|vac[ií]o|vuoto|null|none)\)|"
    r"[€$£]\s?(?:NaN|null|undefined)\b|"
    r"\b(?i:at|chez|bei|presso|bij)\s(?:null|undefined|None|NaN)\b|(?:null|undefined|None)(?:様|さん|님|您好)",
    needs=(
        *("[object", "#", "undefined", "null", "nan", "none", "invalid date", "(blank", "(empty"),
        *("(leer", "(vide", "(vac", "(vuoto"),
    ),
)
_UNCERTAIN = LazyPattern(
    r"\b(?:as|for|in|de|en tant que|à|als|como|en)\s(?:null|undefined|NaN)(?=[,.!?;:]|\s(?:at|chez|in|à)\s|$)|"
    r"\b(?:at|chez|bei) (?:N/A|n/a)(?!\w)",
    needs=("undefined", "null", "nan", "n/a"),
)


_NAMES = ("Null", "Nil", "Nan")  # as people are called


def _failed_render(text: GuardedText) -> Iterator[Hit]:
    """Yield every failed value where a name or a fact is expected; in a sentence about code only as a warning."""
    for view in text.views:
        for match in view.find_greeted(_GREETED):
            is_name = match[0].strip("(\"'“<") in _NAMES
            yield Hit(*view.span(*match.span()), severity=Severity.WARNING if is_name else None)
    yield from text.hits(_ANYWHERE)
    for hit in text.hits(_UNCERTAIN):
        yield hit._replace(severity=Severity.WARNING)


FAILED_RENDER = Rule(
    id="foreign.failed_render",
    severity=Severity.ERROR,
    message="A value was missing when this was filled in.",
    accept=("NaN handling and undefined values in pandas.", "None of this is urgent."),
    reject=(
        "Hi null,",
        "Dear None,",
        "Hi #REF!,",
        "your work at undefined,",
        "NaN €",
        "treated as null.",
    ),
    source="ours",
    check=_failed_render,
)


_CAPITALS = LazyPattern(
    r"(?<![\w{<\[%$*#@-])(?:(?:FIRST|LAST|FULL|COMPANY)_?NAME|JOB_?TITLE|[FL]NAME|(?:First|Last|Full|"
    r"Company)_Name|"
    r"Job_Title|PR[EÉ]NOM|VORNAME|NACHNAME|VOORNAAM|APELLIDOS?)(?![\w}>\]%$*#-])",
    needs=("name", "job_title", "jobtitle", "prenom", "prénom", "voornaam", "apellido"),
)
_BARE_TAG_GREETED = LazyPattern(
    r"[\"'“(*_~]{0,2}(?:[A-Za-z]{2,20}(?:_[A-Za-z]{1,20}){1,3}|[A-Z]{3,20}|(?i:first|last|full|"
    r"company)[Nn]ame)(?!\w)"
)


def _bare_tag(text: GuardedText) -> Iterator[Hit]:
    """Yield every bare tag; away from a greeting only as a warning, since it may name a column."""
    for view in text.views:
        for match in view.find_greeted(_BARE_TAG_GREETED):
            if is_field(match[0]):
                yield Hit(*view.span(*match.span()))
    for hit in text.hits(_CAPITALS):
        yield hit._replace(severity=Severity.WARNING)


BARE_TAG = Rule(
    id="foreign.bare_tag",
    severity=Severity.ERROR,
    message="This is the name of a merge tag, not the name of a person.",
    accept=("user_name and first_name_column are columns", "Bonjour JEAN,"),
    reject=("Bonjour FIRSTNAME,", "Bonjour First_Name,", "at COMPANY_NAME", "Hi Firstname,"),
    source="ours",
    check=_bare_tag,
)


_LABEL = LazyPattern(
    r"(?im)^[ \t*_#>-]{0,8}(?:option|draft|entwurf|version|versi[óo]n|variante?|variation|alternative|"
    r"opci[óo]n|opzione|"
    r"op[çc][ãa]o|optie|案)[ \t]?[#°n]{0,2}[ \t]?(1|2|3|a|b|c|one|two|short|long|courte|longue|kurz|lang)\b"
    r"[ \t*_]{0,4}[:：.)–—-][ \t*_]{0,8}",
    needs=(
        *("draft", "entwurf", "optio", "opc", "opç", "opz", "optie", "versi", "varia", "alternat"),
        *("案",),
    ),
)


_MOST_LABELS = 50
"""A limit on the work for one text: so many labels are examined."""


def _variants(text: GuardedText) -> Iterator[Hit]:
    """Return the headings above versions, and labels before a greeting where there are two different ones."""
    for view in text.views:
        for heading in headings(view, is_subject=text.is_subject):
            yield Hit(*view.span(heading.start, heading.end), severity=heading.severity)
    seen = text.visible
    labels = {
        match[1].lower(): match
        for match in islice(seen.find(_LABEL), _MOST_LABELS)
        if _is_heading(seen.text, match.end())
    }
    for match in labels.values():
        if len(labels) > 1:
            yield Hit(*seen.span(*match.span()))
        elif (
            seen.text[match.end() : match.end() + 40].split("\n", 1)[0].strip()
        ):  # a greeting; a line of its own is a heading
            yield Hit(*seen.span(*match.span()), severity=Severity.WARNING)


def _is_heading(text: str, end: int) -> bool:
    # "Option 1: Tuesday at 10" offers the reader a choice; a heading offers it to the writer.
    rest = text[end : end + 40].split("\n", 1)[0]
    return not rest.strip() or bool(greetings(rest))


VARIANTS = Rule(
    id="foreign.variants",
    severity=Severity.ERROR,
    message="This text holds more than one version: keep one.",
    accept=("Option 1: Tuesday at 10.", "Option 1: Tuesday\nOption 2: Friday"),
    reject=(
        "Option 1:\nHi {{firstname}},\n\nOption 2:\nHello {{firstname}},",
        "Version A: Hi J\nVersion B: Yo, hi J",
        "--- Variant B ---\nHi J,",
        "Subject line 1: A role",
    ),
    source="ours",
    check=_variants,
)
