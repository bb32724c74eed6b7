"""How a message begins, in the languages recruiters write in."""

from __future__ import annotations

from sequences_mcp.guards.lazy import Lazy

_WORDS = (
    r"hi|hiya|hello|hey|dear|greetings|good (?:morning|afternoon|evening|day)|"
    r"bonjour|bonsoir|salut|coucou|ch[eè]re?s?|hallo|guten (?:tag|morgen|abend)|moin|servus|gr(?:ü|ue)(?:ß|ss) gott|"
    r"liebe[rs]?|sehr geehrte[rs]?|hola|buenos d[ií]as|buenas tardes|buenas|estimad[oa]s?|querid[oa]s?|"
    r"ciao|buongiorno|buonasera|salve|gentile|gentilissim[oa]|car[oa]|ol[áa]|oi|bom dia|boa tarde|prezad[oa]s?|"
    r"hoi|beste|geachte|goedemorgen|goedemiddag|cze[śs][ćc]|dzie[ńn] dobry|witaj|witam|szanown[yia]|"
    r"hej|hei|hejsan|привет|здравствуйте|добрый день|уважаем(?:ый|ая)|שלום|"
    r"مرحبا|مرحبًا|مرحباً|السلام عليكم|أهلا|عزيزي|عزيزتي|您好|你好|尊敬的|こんにちは|안녕하세요|नमस्ते"
)
_TITLES = r"(?:(?:mr|mrs|ms|dr|m|mme|monsieur|madame|herr|frau|herrn|señor|señora|sr|sra|sig|pan|pani)\.? )?"

GREETING = rf"(?<!\w)(?:{_WORDS})[ \t\u00a0]+{_TITLES}"
"""The source of a pattern that ends just before the name."""


def greeted(rest: str, flags: int = 0) -> Lazy:
    """Return the pattern of a greeting followed by ``rest``; the greeting itself is in any case."""
    return Lazy(rf"(?i:{GREETING})(?P<name>{rest})", flags)
