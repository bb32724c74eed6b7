"""The shapes of what stands in square brackets, each a pattern that must match the whole of it.

They are tried on at most ``LONGEST`` characters, so that none can take long.
"""

from __future__ import annotations

from sequences_mcp.guards.lazy import Lazy

LONGEST = 100

_AMOUNT = r"[\d\s\u00a0\u202f.,'’:/hkKMm%€$£¥]"

FOOTNOTE = Lazy(r"\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*")
RANGE = Lazy(
    rf"[~≈<>≥≤]?[\s$€£¥]*\d{_AMOUNT}*(?:[-–—~〜]|to|à|bis|a)[\s$€£¥\u00a0\u202f]*\d{_AMOUNT}*(?:[^\W\d_]{{1,4}})?"
)
NUMBERS = Lazy(r"(?=\D*\d)[\d\s\u00a0\u202f.,;:+%€$£¥°/*()\[\]<>=–—−-]+[kKM]?[€$£¥%]?")
INTERVALS = Lazy(r"[\d.,;∞+− -]{1,40}\[[^\[\]]{0,80}\][\d.,;∞+− -]{1,40}")
ISSUE = Lazy(r"#\d+|[A-Z][A-Z0-9]*(?:-\d+)+")
CHARACTER_CLASS = Lazy(r"\^?(?:\w-\w|\\[wdsWDS])(?:\w-\w|\\[wdsWDS]|[._+-])*")
DERIVED = Lazy(r"test|inline|[\w:]{1,40}(?:\(.{1,80}\)|\s?=\s?.{1,80})")
ADDRESS = Lazy(r"https?://[^\s\[\]…]+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
TEST = Lazy(r"\s?(?:-[a-z]|!) .{1,80}|\s?.{1,60} (?:-(?:eq|ne|lt|gt|le|ge)|=|==|!=) .{1,60}")
_LITERAL = r"(?:\"[^\"]*\"|'[^']*'|-?\d[\d._]*)"
LITERALS = Lazy(rf"\s*{_LITERAL}(?:\s*,\s*{_LITERAL})*\s*,?\s*")
LETTERS = Lazy(r"[a-z](?:\s*[,;]\s*[a-z])+")
ARRAY = Lazy(r"(?:[iuf]\d{1,3}|[A-Z]);\s?\w{1,20}")
TYPES = Lazy(
    r"(?:(?:u?int(?:8|16|32|64)?|str|string|float(?:32|64)?|double|bool|boolean|bytes?|object|Any|None|dict|list|char|"
    r"rune|error|[A-Z])(?:\s*[,|]\s*|$))+"
)
PHONETIC = Lazy(
    r"(?=.*[ˈˌː]|.*[əɪʊɔɛʃʒŋɑɒʌɜɹʁɲɾθð].*[əɪʊɔɛʃʒŋɑɒʌɜɹʁɲɾθð])[^\W\d_A-Z][\wˈˌː.() -]{0,40}|[ˈˌ][\wˈˌː.() -]{1,40}"
)
OPENING = Lazy(r"[A-E]\d\d")  # of chess, in its Encyclopaedia
_BOUND = r"[-−+]?(?:\d[\d.]*|∞|[a-z])"
HALF_OPEN = Lazy(rf"{_BOUND}[,;] ?{_BOUND}\).{{0,60}}\({_BOUND}[,;] ?{_BOUND}")
EXPRESSION = Lazy(r"[\w\s]*[-+*/%:.()<>=,][\w\s\-+*/%:.()<>=,\"'\[\]]*")

GENDER = Lazy(r"[^\W\d_]{1,2}(?:\s*[/|,*]\s*[^\W\d_]{1,2})+")
ACRONYM = Lazy(r"[A-Z][A-Z0-9&+./]{1,5}(?:[ ]\d[\d.:-]*)?")
VERSION = Lazy(r"v?\d+(?:\.\d+)+(?:[a-z]+\d*)?|v\d+")
QUANTITY = Lazy(r"[~≈<>≥≤+]?\d[\d.,]*\s*[^\W\d_]{1,12}\.?(?:[ ][^\W\d_]{1,12})?")
MOMENT = Lazy(r"\d{1,2}\s?[h:]\s?\d{2}|\d{1,2}\.? [^\W\d_]{3,12}\.?(?: \d{4})?")
EDITORIAL = Lazy(
    r"(?is)(?:edit|[ée]dit[ée]?|update|upd|maj|mise [àa] jour|n\.?d\.?[tlrae]\.?|note|nota|nb|n\.b\.|ps|anm\.?|"
    r"anmerkung|hinweis)\s*[:：].+"
)
ATTRIBUTE = Lazy(r"[A-Za-z_][\w-]*\s*[~|^$*]?=\s*(?:\"[^\"]*\"|'[^']*')")
ELLIPSIS = Lazy(r"\s*(?:\.\s?\.\s?\.|…|⋯)\s*")
BLANK = Lazy(r"(?:X(?:[X/ .-]{0,20}X)?|XYZ|ABC|\?+|_+|-+|\*+|\.{1,2})(?:\s.*)?")
