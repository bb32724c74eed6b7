"""Placeholders that somebody was to fill in: rules of the layer ``placeholders``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sequences_mcp.domain.findings import Severity
from sequences_mcp.domain.patterns import LazyPattern
from sequences_mcp.guards.asides import ORDERS
from sequences_mcp.guards.drafts import greeted_blanks, names_draft, words_for
from sequences_mcp.guards.line_leftovers import Kind, leftovers
from sequences_mcp.guards.markup import TAG, is_markup_tag
from sequences_mcp.guards.names import is_heading
from sequences_mcp.guards.rule import Fact, Rule, Value
from sequences_mcp.guards.squares import Meaning, squares
from sequences_mcp.guards.text import GuardedText, Hit
from sequences_mcp.guards.views import TextView
from sequences_mcp.guards.words import has_field, has_glue, is_field, is_name, may_be_quoted, words_of


def _square(text: GuardedText) -> Iterator[Hit]:
    """Return every pair that is a placeholder."""
    for square in squares(text, Meaning.PLACEHOLDER):
        yield Hit(*square.span)


SQUARE = Rule(
    id="placeholders.square",
    severity=Severity.ERROR,
    message="This looks like a blank that was never filled in: put the real text, or drop that part.",
    accept=("See [the job](https://acme.com/jobs).", "args[i+1] = x", "A study [1].", "[55-65 k€]", "- [x] done"),
    reject=("your work at [company]", "[1 detail to add]", "[prénom], une question", "[com\u00adpany]", "[?]"),
    source="Kalent: unresolved bracket placeholders are a validation_error",
    check=_square,
    signs=frozenset("[［"),
)


_DEAD = r"\s{0,8}(?:#?\s?(?:url|link|lien|enlace|href|your[-_ ]?(?:link|url)|tbd|todo|x{3,9}|\.\.\.|…)?)\s{0,8}"
_ATTRIBUTE = LazyPattern(
    rf"(?i)(?<=[\s\"'])(?:href|src)\s?=\s?(?:\"{_DEAD}\"|'{_DEAD}'|(?=>))|<a\s*>", needs=("href", "src", "<a")
)


def _link(text: GuardedText) -> Iterator[Hit]:
    """Return every link without a real target."""
    for square in squares(text, Meaning.DEAD_LINK):
        yield Hit(*square.span)
    yield from text.hits(_ATTRIBUTE)


LINK = Rule(
    id="placeholders.link",
    severity=Severity.ERROR,
    message="This link has no address: put the real one, or drop the link.",
    accept=("[the job](https://acme.com/jobs/42)", '<a href="https://acme.com">Acme</a>'),
    reject=("[the job](URL)", "[the job](#)", '<a href="">the job</a>', "<a href='#'>the job</a>"),
    source="ours",
    check=_link,
    signs=frozenset("[［<="),
)


_FACE = LazyPattern(r"[:;=8xX>][-'^o]?[\[\]]|[\[\]][-'^o]?[:;=]")
_INTERVAL = LazyPattern(r"[\[\]]\s?[-−+]?(?:[\d∞]|[a-z]\s?[,;])")
_AFTER_NUMBER = LazyPattern(r"(?:[\d∞]|[,;]\s?[a-z])\s?\Z")
_WORD = LazyPattern(r"[^\W_]{1,40}")
_FIELD_AFTER = LazyPattern(r"[{<][ \t]?([^\W\d_][\w-]{1,40}(?: [^\W\d_][\w-]{1,20}){0,2})(?=\s?(?:[,.;:!?)\n]|$))")
_FIELD_BEFORE = LazyPattern(r"(?<![^\s(\"'“])([^\W\d_][\w-]{1,40})[ \t]?[}>](?=[\s,.;:!?)]|$)")


def _unclosed_unclosed(text: GuardedText) -> Iterator[Hit]:
    """Return every opening bracket with something after it, and every closing one after a field word.

    A curly or angle bracket stands alone in code and in formulas too: there only a field word beside it counts.
    """
    for view in text.views:
        if view.squares.opens or view.squares.closes:
            yield from _unclosed(view)
        if view.signs_any("{<"):
            yield from _opened(view)
        for match in _FIELD_BEFORE.finditer(view.text) if view.signs_any("}>") else ():
            line = view.text[view.text.rfind("\n", 0, match.start()) + 1 : match.start()]
            if is_name(match[1]) and "{" not in line and "<" not in line:
                yield Hit(*view.span(*match.span()))


def _opened(view: TextView) -> Iterator[Hit]:
    for match in _FIELD_AFTER.finditer(view.text):
        place = match.start()
        before, end = view.text[place - 1 : place], view.text.find("\n", place)
        is_closed = view.text.find(">", place, None if end < 0 else end) >= 0
        is_open = place in view.braces.opens if view.text[place] == "{" else not is_closed
        if is_open and not (before.isalnum() or before in ("{", "<", "$", "#")) and is_field(match[1]):
            yield Hit(*view.span(*match.span()))


def _unclosed(view: TextView) -> Iterator[Hit]:
    faces = {place for match in view.find(_FACE) for place in range(*match.span())}
    for place in view.squares.opens:
        is_interval = _INTERVAL.match(view.text, place) or _AFTER_NUMBER.search(
            view.text[max(0, place - 5) : place]
        )
        if place not in faces and not is_interval:
            word = _WORD.match(view.text, place + 1)
            yield Hit(*view.span(place, word.end() if word else place + 1))
    for place in view.squares.closes:
        before = view.text[max(0, place - 20) : place].split(" ")[-1]
        if place not in faces and has_field(before):
            yield Hit(*view.span(place, place + 1))


UNCLOSED = Rule(
    id="placeholders.unclosed",
    severity=Severity.ERROR,
    message="This bracket has no counterpart: finish the thought, or drop the bracket.",
    accept=("an interval [0, 1[", ":-] and >:[", "if (name) {", "x < company size", "a Name->Title map"),
    reject=(
        "Hi [company, I…",
        "at [company), we…",
        "at company], we…",
        "Hi {name,",
        "Hi <first name, I",
        "Hi name>,",
    ),
    source="ours",
    check=_unclosed_unclosed,
    signs=frozenset("[]［］{}<>"),
)


_BRACKETS = "【】〔〕〖〗〘〙〚〛〈〉《》＜＞﹤﹥⟦⟧⟨⟩⟪⟫⁅⁆❲❳⦋⦌⦍⦎⦏⦐⦗⦘﹝﹞⦅⦆｟｠⸨⸩❰❱⧼⧽❮❯⦑⦒⸦⸧⟬⟭⌈⌉⌊⌋⟮⟯❨❩≪≫﴾﴿〈〉"
# In these two a field word may be said of a field; only the word for a name is a blank.
_MILD = "（）「」『』"
_PAIR = LazyPattern(
    "|".join(
        f"{opening}([^{opening}{closing}\n]{{1,60}}){closing}"
        for opening, closing in zip((_BRACKETS + _MILD)[::2], (_BRACKETS + _MILD)[1::2], strict=True)
    )
)
_PARTICLE = LazyPattern(r"[のにはをがとでへもやさ様御よか宛殿、。，,.的]|です|ます|是|您|你|先生|女士")
_INDENT = " \t\u3000・■●◆▼-"


def _other_bracket(text: GuardedText) -> Iterator[Hit]:
    """Return every such pair, unless it labels what follows it: 【勤務地】東京."""
    for view in text.views:
        for match in () if view.text.isascii() else view.find(_PAIR):
            inner, is_mild = match[0][1:-1], match[0][0] in _MILD
            if not (is_name(inner) if is_mild else is_field(inner)):
                continue
            if text.is_subject or not _is_label(view.text, *match.span()):
                yield Hit(*view.span(*match.span()), severity=Severity.WARNING if is_mild else None)


def _is_label(text: str, start: int, end: int) -> bool:
    following = text[end : end + 200].strip()
    before = text[text.rfind("\n", 0, start) + 1 : start]
    return not before.strip(_INDENT) and bool(following) and not _PARTICLE.match(following)


OTHER_BRACKET = Rule(
    id="placeholders.other_bracket",
    severity=Severity.ERROR,
    message="This looks like a blank that was never filled in: put the real text, or drop that part.",
    accept=("【急募】バックエンドエンジニア", "【勤務地】東京", "『Rust入門』の件", "（正社員・リモート可）"),
    reject=("【会社名】のご紹介", "ご担当の〈会社名〉について", "about ⟦company⟧ today", "御社（会社名）の件"),
    source="ours",
    check=_other_bracket,
    signs=frozenset(_BRACKETS + _MILD),
)


# "El País", "La Poste": an article and a name in capitals are a title, not a field.
_TITLE = LazyPattern(r"(?:El|La|Los|Las|Le|Les|Il|Lo|Gli|I|O|Os|As|Der|Die|Das|De|Het|L['’]) ?[^\W\d_a-z]\w+")
_TIGHT = LazyPattern(r"[«‹]([^\s«»‹›](?:[^«»‹›\n]{0,58}[^\s«»‹›])?)[»›]", needs=("«", "‹"))


def _guillemet(text: GuardedText) -> Iterator[Hit]:
    """Return every field word in quotes set tight; in a language that sets them so, it may be a quotation."""
    for view in text.views:
        for match in view.find(_TIGHT):
            if is_field(match[1]) and not _TITLE.match(match[1]):
                span = view.span(*match.span())
                written = text.original[slice(*span)]  # the letters of a view may be folded to another script's
                has_unknown_outcome = may_be_quoted(written) and not match[1].isupper()
                yield Hit(*span, severity=Severity.WARNING if has_unknown_outcome else None)


GUILLEMET = Rule(
    id="placeholders.guillemet",
    severity=Severity.ERROR,
    message="This looks like a mail-merge field that was never filled in.",
    accept=("« projet » Acme", "leí en «El País»", "«Яндекс» ищет инженера"),
    reject=("Bonjour «Prénom»,", "Dear «First_Name»,", "about ‹company› today", "el «puesto»"),
    source="ours",
    check=_guillemet,
    signs=frozenset("«‹"),
)


_ANGLE = LazyPattern(
    r"<(/?[^\W\d_](?:[^<>\n]{0,80}[^<>\n=-])?|\d{1,3} [^\W\d_](?:[^<>\n]{0,80}[^<>\s=-])?|\.\.\.|…)>", needs=("<",)
)
_ADDRESS = LazyPattern(r"(?i)[a-z][a-z0-9+.-]{0,20}:|[^\s@<>]+@[^\s@<>]+\.|www\.")
_INCLUDE = "#include "
_CODE = LazyPattern(rf"{_INCLUDE}\Z|[\w:>&<]\Z")


def _angle(text: GuardedText) -> Iterator[Hit]:
    """Yield every angle placeholder; a single letter, or an element of XML, only as a warning."""
    for view in text.views:
        for match in view.find(_ANGLE):
            if severity := _judge(view, match[1], start=match.start(), end=match.end()):
                yield Hit(*view.span(*match.span()), severity=severity)


def _judge(view: TextView, inner: str, *, start: int, end: int) -> Severity | None:
    tag = TAG.match(view.text, start)
    if (tag and tag.end() == end and is_markup_tag(tag)) or _ADDRESS.match(inner):
        return None
    if _CODE.search(view.text[max(0, start - len(_INCLUDE)) : start]):
        return None if inner[0].isupper() or not is_field(inner) else Severity.WARNING
    is_element = f"</{inner.strip('/')}>" in view.text or inner.endswith("/")
    if len(inner) == 1 or inner in ("...", "…") or (is_element and not is_field(inner.strip("/"))):
        return Severity.WARNING
    return Severity.ERROR


ANGLE = Rule(
    id="placeholders.angle",
    severity=Severity.ERROR,
    message="This looks like a blank that was never filled in: put the real text, or drop that part.",
    accept=("<p>Hi {{firstname}}</p>", "<jane@acme.com>", "Vec<T> and Promise<User>", "x < y and y > z"),
    reject=("Hi <company>,", "Bonjour <nom de l’entreprise>,", "Hi &lt;first name&gt;,", "of type <T>"),
    source="ours",
    check=_angle,
    signs=frozenset("<"),
)


_ESCAPED = LazyPattern(
    r"(?i)(?:\\u005b|\\x5b)[\w .'-]{1,60}(?:\\u005d|\\x5d)|(?<![\w/=&?%.-])%5b[\w%+.'-]{1,60}?%5d|"
    r"=5b[\w .'-]{1,60}=5d",
    needs=("5b",),
)


def _escaped(text: GuardedText) -> Iterable[Hit]:
    """Return every word in escaped brackets; in the query of a URL they are spelling."""
    return text.hits(_ESCAPED)


ESCAPED = Rule(
    id="placeholders.escaped",
    severity=Severity.ERROR,
    message="These are escaped brackets around a blank that was never filled in.",
    accept=("https://acme.com/?tags%5B%5D=rust&by%5Bname%5D=1",),
    reject=("at \\u005bcompany\\u005d", "at %5Bcompany%5D"),
    source="ours",
    check=_escaped,
    signs=frozenset("\\%="),
)


def _ambiguous(text: GuardedText) -> Iterator[Hit]:
    """Return every pair that only a person can judge."""
    for square in squares(text, Meaning.UNCERTAIN):
        yield Hit(*square.span)


AMBIGUOUS = Rule(
    id="placeholders.ambiguous",
    severity=Severity.WARNING,
    message="This may be meant, or be a blank that was never filled in: a person has to say.",
    accept=("Entwickler (m/w/d)", "See [1] and [2]."),
    reject=("[Remote] Backend Engineer", "Entwickler [m/w/d]", "[12 mois]", "[...] and so on"),
    source="ours",
    check=_ambiguous,
    signs=frozenset("[［"),
)


_LAST_VERB = (
    r"(?:einf[üu]gen|erg[äa]nzen|ausf[üu]llen|invullen|を記入|を入力|を挿入|を入れる|请填写|填写|डालें|भरें|लिखें)"
)
_INSTRUCTION = LazyPattern(
    rf"(?i)[(（](?:\s?{ORDERS}(?=[\s)）:])[^()（）\n]{{0,80}}[)）]|[^()（）\n]{{0,40}}{_LAST_VERB}[)）])",
    needs=("(", "（"),
)
_WHOLE = LazyPattern(rf"(?i)\W{{0,4}}(?:{ORDERS}(?!\w).{{0,100}}|.{{0,60}}{_LAST_VERB}\W{{0,4}})")
_PARENTHESES = LazyPattern(r"\((?<![\w.].)([^()\n]{2,40})\)", needs=("(",))

_PIECES = frozenset(
    {"link", "url", "lien", "enlace", "date", "time", "amount", "number", "city", "datum", "fecha", "data"}
)


def is_instruction(phrase: str) -> bool:
    """Say whether a phrase, the brackets around it taken off, tells somebody to fill something in."""
    return _WHOLE.fullmatch(phrase) is not None


def is_unwritten(phrase: str) -> bool:
    """Say whether a whole value tells somebody to write it, or is what a piece of a draft is called."""
    bare = phrase.strip(" \t\n.:!*_()").casefold()
    return bare in words_for("part") or (len(bare) <= 40 and is_instruction(bare) and names_draft(bare))


def _instruction(text: GuardedText) -> Iterator[Hit]:
    """Return every instruction, and every name in parentheses that stands for one; one word may be meant."""
    yield from text.hits(_INSTRUCTION)
    for view in text.views:
        for leftover in leftovers(view):
            if leftover.kind is Kind.NOTE:
                yield Hit(*view.span(leftover.start, leftover.end), severity=leftover.severity)
        for match in view.find(_PARENTHESES):
            is_piece = len(match[1].split()) < 3 and (names_draft(match[1]) or match[1].lower() in _PIECES)
            if is_piece or is_name(match[1]):
                is_word = is_piece or len(words_of(match[1])) == 1
                yield Hit(*view.span(*match.span()), severity=Severity.WARNING if is_word else None)


INSTRUCTION = Rule(
    id="placeholders.instruction",
    severity=Severity.ERROR,
    message="This tells somebody to fill something in: do it, or drop it.",
    accept=("a permanent job (full time)", "B2B SaaS (Series A)", "add(x)", "(pick any slot)", "https://add.co"),
    reject=(
        "(insert company name) is hiring.",
        "(insérer le nom de l’entreprise) recrute.",
        "at (company name)",
        "*insert hook here*",
        "INSERT HOOK HERE",
        "(note: personalise this)",
        "(delete as appropriate)",
        "Hi team // add a detail",
    ),
    source="ours",
    check=_instruction,
)


def _blank(text: GuardedText) -> Iterator[Hit]:
    """Return every blank; one that fills its line would be a divider."""
    for view in text.views:
        for leftover in leftovers(view):
            if leftover.kind is Kind.BLANK:
                yield Hit(*view.span(leftover.start, leftover.end), severity=leftover.severity)
        for blank in greeted_blanks(view):
            yield Hit(*view.span(blank.start, blank.end))


BLANK = Rule(
    id="placeholders.blank",
    severity=Severity.ERROR,
    message="This is a blank that was never filled in.",
    accept=("¯\\_(ツ)_/¯", "Well... yes", "Regards\n______\nJane", "Size XXL, XXe siècle"),
    reject=(
        "Hi ____, a word.",
        "Bonjour ……… , je",
        "Hi ...,",
        "XX years of experience",
        "salary XXXX",
        "on DD/MM/YYYY",
    ),
    source="ours",
    check=_blank,
)


_BEFORE_A_FACT = r"(?:at|as|with|for|of|from|about|your|chez|pour|avec|bei|von|für|mit|para|con|com|presso|voor)"
# A blank before a stop or a comma is a slip of the hand after other words; French has none there either.
_GAP = LazyPattern(
    rf"(?i)(?<![\w'’-]){_BEFORE_A_FACT}(?:[ \u00a0]{{1,3}}[.,](?=\s|$)|[ \u00a0]{{2,3}}{_BEFORE_A_FACT}(?!\w))",
    needs=(" .", " ,", "  ", "\u00a0"),
)


def _gap(text: GuardedText) -> Iterator[Hit]:
    """Return every place where nothing stands between a preposition and a stop, or between two prepositions."""
    yield from text.hits(_GAP)


GAP = Rule(
    id="placeholders.gap",
    severity=Severity.WARNING,
    message="A word is missing here: was a value empty when this was written?",
    accept=("What are you waiting for?", "your work at Acme .", "We hire  at Acme.", "as of today"),
    reject=("I loved your work at .", "your role as  at Acme", "a role for , in Paris", "votre poste chez ."),
    source="ours",
    check=_gap,
)


_PHRASE = LazyPattern(r"[^\W\d_]{2,30}(?:[ '’][^\W\d_]{1,30}){0,3}")
_GREETED = LazyPattern(
    r"[\"'“(#@~/]?[^\W\d_][\w’'-]{1,30}(?:[ /][^\W\d_][\w’'-]{1,30}){0,3}[\"'”)#@~/]?"
    r"(?=\s?(?:[,!:;،，.\n]|$))"
)
_SNAKE = LazyPattern(r"(?<![\w./@-])[a-z]{2,12}(?:_[a-z]{2,12}){1,3}(?![\w./@-])", signs="_")
_CAMEL = LazyPattern(r"(?<![\w./@-])[a-z]{2,12}(?:[A-Z][a-z]{2,12}){1,2}(?![\w./@-])")
_HUMP = LazyPattern(r"[A-Z](?<=[a-z].)")
_BARE_WORD_CODE = LazyPattern(
    r"(?i)\b(?:columns?|fields?|keys?|json|xml|sql|api|tables?|param\w*|variables?|schemas?|endpoints?|"
    r"id|ids|csv|class)\b"
)
# Begins with a set and looks back from there: the search then skips all other letters.
_CAPITALS = LazyPattern(
    r"[CNTPRLEFUA](?:(?<=[a-z@] .)|(?<=[a-z]: .))(?:(?<=C)(?:OMPANY|ITY)|(?<=N)(?:AME|OM)|(?<=T)ITLE|"
    r"(?<=P)(?:OSITION|OSTE|UESTO)|"
    r"(?<=R)(?:OLE|UOLO)|(?<=L)(?:OCATION|INK)|(?<=E)(?:NTREPRISE|MPRESA)|(?<=F)IRMA|(?<=U)NTERNEHMEN|"
    r"(?<=A)ZIENDA)"
    r"(?=[ ,.;:!?\n]|$)(?! [A-Z]{2})"
)


def _bare_word(text: GuardedText) -> Iterator[Hit]:
    """Return every greeting of such a word, and a whole text of them."""
    whole = text.visible.text.strip()
    if _PHRASE.fullmatch(whole) and is_name(whole) and not (text.is_subject and has_glue(whole)):
        yield Hit(0, len(text.original))
    for view in text.views:
        for match in view.find_greeted(_GREETED):
            if is_name(match[0]) or _is_heading(match[0]):
                yield Hit(*view.span(*match.span()))
        for start, end in _alone(view):
            yield Hit(*view.span(start, end))


def _is_heading(greeted: str) -> bool:
    return " " not in greeted and len(greeted) > 4 and is_heading(Value(greeted.strip("\"'“”()#@~/"), Fact.FIRST))


def _alone(view: TextView) -> Iterator[tuple[int, int]]:
    """Yield the words for a name away from a greeting: alone on a line, as a program writes them, in capitals."""
    for line in view.lines:
        if " " in line.bare and line.bare.istitle() and _PHRASE.fullmatch(line.bare) and is_name(line.bare):
            yield line.start, line.end
    camels = _CAMEL.finditer(view.text) if _HUMP.search(view.text) else ()
    for match in (*view.find(_SNAKE), *camels):
        line_start = view.text.rfind("\n", 0, match.start()) + 1
        if is_name(match[0]) and not _BARE_WORD_CODE.search(view.text[line_start:].split("\n", 1)[0]):
            yield match.span()
    yield from (match.span() for match in _CAPITALS.finditer(view.text))


BARE_WORD = Rule(
    id="placeholders.bare_word",
    severity=Severity.WARNING,
    message="A name is due here, and this is the word for one.",
    accept=("Bonjour Jean,", "Hi team,", "a name for the team"),
    reject=(
        "Bonjour prénom,",
        "Company Name",
        "Hello Candidate,",
        "I like company_name a lot",
        "a role at COMPANY",
        "Best,\nYour Name",
    ),
    source="ours",
    check=_bare_word,
)


# Matched in small letters, from the part that decides: what stands before it on the host is looked at afterwards.
_EXAMPLE = LazyPattern(r"example(?:\.(?:com|org|net|edu))?(?![\w-]|\.\w)", needs=("example",))
_OTHERS = LazyPattern(
    r"(?:(?:your|my|votre|ihre?|tu)-?(?:company|domain|site|website|link|entreprise|domaine|firma|"
    r"empresa)\.[a-z]{2,20}|"
    r"localhost(?=[:/])|link\.here|(?<=@)(?:company|domain|entreprise|firma|empresa|azienda|"
    r"unternehmen)\.[a-z]{2,3}|"
    r"(?<=www\.)(?:company|domain|yourdomain|entreprise|empresa)\.com)(?![\w-]|\.\w)",
    needs=(
        *("localhost", "company.", "domain.", "site.", "link.", "entreprise.", "domaine.", "firma.", "empresa."),
        *("azienda.", "unternehmen."),
    ),
)
# Read from the right to the left, from there: the label of ".example", "www." and the scheme.
_LABEL = LazyPattern(r"\.[\w-]{1,60}(?:\.www)?(?://:s?ptth)?(?![\w.@-])")
_NO_LABEL = LazyPattern(r"(?:\.www)?(?://:s?ptth)?(?![\w.@-])")
_LONGEST = 80
_BARE = LazyPattern(r"https?://(?:\.{2,}|…|x{3,}(?![\w.]))?(?=[\s)\]>,;]|$)", needs=("://",))
_PERSONAL = LazyPattern(
    r"(?i)(?<=[/=])(?:your|votre|my|ihr)[-_]?(?:name|link|company|handle|username|calendar|page|id|lien|"
    r"nom|profile|booking|meeting|event)(?![\w-])|"
    r"(?<![\w.])(?:prenom\.nom|first(?:name)?\.last(?:name)?|vorname\.nachname|nombre\.apellido|your\.?name)@",
    needs=(
        *("/your", "=your", "/votre", "=votre", "/my", "=my", "/ihr", "=ihr"),
        *(".nom@", ".last", ".nachname", ".apellido", "name@"),
    ),
)


def _example_host(text: GuardedText) -> Iterator[Hit]:
    """Return every such host, path and address."""
    for view in text.views:
        for pattern in (_EXAMPLE, _OTHERS):
            if view.may_have(pattern):
                for start, end in _hosts(pattern, view.lower if len(view.lower) == len(view.text) else view.text):
                    yield Hit(*view.span(start, end))
    yield from text.hits(_BARE)
    yield from text.hits(_PERSONAL)


def _hosts(pattern: LazyPattern, text: str) -> Iterator[tuple[int, int]]:
    for match in pattern.finditer(text):
        start = match.start()
        if text[start - 1 : start] == "@":
            yield match.span()
        else:
            before = _LABEL if match[0] == "example" else _NO_LABEL
            if result := before.match(text[max(0, start - _LONGEST) : start][::-1]):
                yield start - result.end(), match.end()


EXAMPLE_HOST = Rule(
    id="placeholders.example_host",
    severity=Severity.WARNING,
    message="This address is an example: was the real one forgotten?",
    accept=("https://acme.com/jobs", "https://example.company", "my-page"),
    reject=(
        "https://example.com",
        "[the job](https://www.example.org/your-link)",
        "https://yourcompany.com",
        "https://cal.com/your-link",
    ),
    source="RFC 2606, section 3; ours",
    check=_example_host,
)
