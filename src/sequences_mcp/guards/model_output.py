"""Finds what a language model, or the program around it, wrote into a text: marks, roles, refusals, errors.

What an assistant says to the writer about a version of a text is found by ``drafts.assistant_phrases``.
"""

from __future__ import annotations

from collections.abc import Iterator

from sequences_mcp.domain.findings import Severity
from sequences_mcp.domain.patterns import LazyPattern
from sequences_mcp.guards.drafts import Instruction
from sequences_mcp.guards.views import TextLine, TextView, greetings

# Marks of chat formats and of citations.
_MARKS = LazyPattern(
    r"<\|/?\w{2,30}\|>|\[/?INST\]|<</?SYS>>|</?(?:think(?:ing)?|reasoning|reflection|scratchpad|"
    r"tool_(?:call|response)|"
    r"function_calls?|final_answer)>|【\d{1,3}(?::\d{1,3})?†[^】\n]{0,40}】|\[oaicite",
    needs=(
        *(
            "<|",
            "[inst",
            "[/inst",
            "<<sys",
            "<</sys",
            "<think",
            "</think",
            "<reason",
            "</reason",
            "<refl",
            "</refl",
        ),
        *(
            "<scratch",
            "</scratch",
            "<tool_",
            "</tool_",
            "<function",
            "</function",
            "<final_",
            "</final_",
            "†",
            "[oaicite",
        ),
    ),
)
_CITED = LazyPattern(r"(?:\bcite)?turn\d{1,3}(?:search|view|news|fetch|file)\d", needs=("turn0", "turn1", "turn2"))
_TRIES = 200
"""A limit on the work for one text: so many lines that begin as a role would are examined."""
_ROLES = ("assistant", "chatgpt", "gpt", "claude", "gemini", "copilot", "ai", "user", "human", "system", "prompt")
_ROLE = LazyPattern(
    r"(?i)(?P<role>assistant|chatgpt|gpt-?\d\w{0,3}|claude|gemini|copilot|ai|user|human|system|prompt)"
    r"[ \t*_]{0,3}[:：][ \t*_]{0,4}"
)
_REFUSAL = LazyPattern(
    r"(?i)\b(?:i[’']?m|i am) sorry,? but i(?: can(?:not|[’']t)| am unable to|[’']m unable to) "
    r"(?:help|assist|comply|fulfil|provide|create|write|generate|access|complete)|"
    r"\bi (?:apologi[sz]e|(?:am|[’']m) sorry),? but i (?:do not|don[’']t) have (?:enough|access|any|sufficient)\b|"
    r"\b(?:my|of my) (?:knowledge|training)(?: data)? cut-?off|"
    r"\bi (?:do not|don[’']t) have (?:access to|information (?:about|on)) (?:[\w’'-]+ ){1,3}"
    r"(?:linkedin|profile|website)\b|"
    r"\bes tut mir leid,? aber (?:als|ich kann (?:dabei|dir dabei|ihnen dabei|diese anfrage))|"
    r"\bje suis désolée?,? mais je ne (?:peux|suis) pas (?:aider|vous aider|en mesure de|répondre à cette)|"
    r"\blo siento,? pero no puedo (?:ayudar|cumplir|proporcionar|acceder)|"
    r"\bmi dispiace,? ma non posso (?:aiutar|accedere|soddisfare)|"
    r"\bdesculpe,? mas não posso (?:ajudar|acessar|atender)|"
    r"\bals (?:ki-?|ai-?)?sprachmodell|\ben tant que modèle de langage|\bcomo modelo de (?:lengua|linguagem)|"
    r"\bcome modello linguistico|\bals (?:ai-?)?taalmodel|\bjako model językowy|\bкак языковая модель|"
    r"作为(?:一个|一款|一名)?(?:AI|人工智能)(?:语言)?(?:模型|助手)|(?:AI|言語モデル|アシスタント)として(?:は|、)",
    needs=(
        *(
            "sorry",
            "apologi",
            "cutoff",
            "cut-off",
            "have access",
            "have inform",
            "tut mir leid",
            "désolé",
            "siento",
        ),
        *("dispiace", "desculpe", "sprachmodell", "modèle", "modelo de", "linguistico", "taalmodel", "językowy"),
        *("языковая", "作为", "として"),
    ),
)
# An introduction of a text at its very beginning, in any language: words that point, what it is, a colon.
_INTRODUCTION = LazyPattern(
    r"(?i)(?:here(?:[’']s| is| are)|below is|voici|hier (?:ist|sind|is|komt|kommt)|aqu[íi] (?:tienes|"
    r"tiene|est[áa]|va)|"
    r"aqui (?:est[áa]|vai)|ecco|oto|här (?:är|kommer)|her er|вот|ось|işte|ορίστε|εδώ είναι|إليك|הנה|यहाँ|यह रहा|"
    r"以下(?:が|は|是|为|為)|これが|这是|這是|다음은|아래는)[^\n:：]{0,60}"
    r"(?:version|versi[óo]n|draft|e-?mail|correo|message|mensaje|messaggio|mensagem|nachricht|bericht|"
    r"sequence|template|"
    r"brouillon|entw[üu]rf|vorlage|borrador|bozza|rascunho|variant|wiadomo|szkic|mejl|mail|meddelande|"
    r"utkast|melding|"
    r"письм|сообщени|вариант|черновик|лист|повідомлен|чернетк|e-?posta|mesaj|taslak|μήνυμα|رسالة|البريد|"
    r"הודעה|מייל|"
    r"טיוטה|ईमेल|संदेश|メール|文面|下書き|邮件|郵件|草稿|信息|消息|이메일|메일|초안|메시지)"
    r"[^\n:：]{0,60}[:：](?=[ \t*_]{0,4}\r?\n)",
)
_OPENING = LazyPattern(r"[\s¡¿*_#>]{0,20}(?:[^\n.!,:;。！、：]{1,30}[!.,。！、][ \t\n]{0,3}){0,2}")
_REMARKS = tuple(
    f"{this} {what} " for this in ("this", "the") for what in ("version", "draft", "email", "e-mail", "message")
)
_REMARKS += ("note: i", "notes: i")
_BEGINNINGS = _ROLES + _REMARKS
_INITIALS = frozenset(beginning[0] for beginning in _BEGINNINGS)
_REMARK = LazyPattern(
    r"(?i)(?:this|the) (?:version|draft|e-?mail|message) (?:keeps|uses|focuses|aims|ends with|highlights|"
    r"maintains|avoids|is (?:designed|written|kept|intentionally|deliberately|under \d|about \d|~?\d))\b|"
    r"notes?: i(?:[’']ve| have)? (?:kept|used|made|added|assumed|left|avoided|tailored|included|replaced)\b"
)
_COUNTED = LazyPattern(
    r"(?i)\bthis (?:e-?mail|message|version|draft) (?:is|has) (?:about |around |roughly |"
    r"~)?\d{1,4} (?:words|characters)\b",
    needs=(" words", " characters"),
)
_TRACE = LazyPattern(
    r"Traceback \(most recent call last\)|(?m:^)(?:Uncaught |Unhandled )?[A-Z][A-Za-z]{2,30}(?:Error|Exception): |"
    r"(?m:^)Error: \w|(?m:^)\W{0,4}(?:internal server error|(?:50[0234]|429) (?:[A-Z]\w+ ?){1,3}|"
    r"rate limit exceeded)\W{0,4}(?m:$)",
    needs=("traceback", "error", "exception:", "rate limit", " gateway", " unavailable"),
)
_DATA = LazyPattern(
    r"(?is)\s{0,8}[{\[]\s{0,8}(?:\{\s{0,8})?[\"'](?:subject|body|content|message|text|email|error|"
    r"role)[\"']\s?:.*[}\]]\s{0,8}"
)
_LITERAL = LazyPattern(
    r"""(?s)\s{0,4}(?:b|f|r)?(?P<quote>['"])[^'"]{20,}(?P=quote)\s{0,4}|\s{0,4}\[(['"]).{5,}\2\]\s{0,4}"""
)


def leaks(view: TextView) -> Iterator[Instruction]:
    """Return what a model or a program left on one line; WARNING where a person may have written it."""
    for pattern in (_MARKS, _CITED, _REFUSAL):
        yield from (Instruction(*match.span()) for match in view.find(pattern))
    for pattern in (_COUNTED, _TRACE):
        for match in view.find(pattern):
            is_sure = match[0].startswith("Traceback")
            yield Instruction(*match.span(), None if is_sure else Severity.WARNING)


def turns(view: TextView) -> Iterator[Instruction]:
    """Return what only its place in the whole text tells: roles, remarks, an introduction, a literal."""
    tries = 0
    for line in view.lines:
        if line.start_of_bare[0] not in _INITIALS or not line.start_of_bare.startswith(_BEGINNINGS):
            continue
        if match := _REMARK.match(line.bare):
            yield Instruction(line.start, line.start + match.end(), Severity.WARNING)
        elif tries < _TRIES:
            tries += 1
            yield from _role(view, line)
    yield from _whole(view)


def _role(view: TextView, line: TextLine) -> Iterator[Instruction]:
    if match := _ROLE.match(view.text, line.start):
        role, following = match["role"].lower(), view.text[match.end() : match.end() + 60]
        is_first = role != "ai" and not view.text[: line.at].strip()
        if not following.startswith("\n") and greetings(following):
            yield Instruction(*match.span())
        elif is_first or role.startswith(("assistant", "chatgpt", "gpt")):
            yield Instruction(*match.span(), Severity.WARNING)


_LONGEST_INTRODUCTION = 250


def _has_colon_line(head: str) -> bool:
    """Say whether one of the first lines ends in a colon, as an introduction does."""
    return (":" in head or "：" in head) and any(
        line.rstrip(" \t*_\r").endswith((":", "：")) for line in head.split("\n")[:-1]
    )


def _whole(view: TextView) -> Iterator[Instruction]:
    """Return an introduction at the beginning of a text, and a text that is a literal of a program."""
    text = view.text
    if _has_colon_line(text[:_LONGEST_INTRODUCTION]) and not greetings(text.lstrip()[:80].split("\n", 1)[0]):
        opening = _OPENING.match(text)
        for place in {0, opening.end() if opening else 0}:
            bare = len(text) - len(text.lstrip()) if place == 0 else place
            if match := _INTRODUCTION.match(text, bare):
                yield Instruction(bare, match.end())
                break
    head = text[:8].lstrip()
    if head[:1] in ("{", "[") and text.rstrip()[-1:] in ("}", "]") and _DATA.fullmatch(text):
        yield Instruction(0, len(text))
    elif (
        head[:1] in ("'", '"', "b", "f", "r", "[")
        and text.rstrip()[-1:] in ("'", '"', "]")
        and _LITERAL.fullmatch(text)
    ):
        yield Instruction(0, len(text), None if head[:1] in ("b", "f", "r") else Severity.WARNING)
