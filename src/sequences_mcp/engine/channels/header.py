"""Header values that hold exactly one value, whatever is in it."""

from __future__ import annotations

import re
import unicodedata
from base64 import b64encode

# Printable ASCII without a space at either end and without what a reader would take for an encoded word.
_PLAIN = re.compile(r"(?!.*=\?)(?! )[ -~]{1,900}(?<! )")
# Words with one space between them; readers make one of two (RFC 5322, section 2.2.3).
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+( [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
# What ends a line for one reader or another, or cannot be written at all.
_UNFIT = frozenset({"Cc", "Cs", "Zl", "Zp"})
_WORD_BYTES = 45  # 60 letters of base 64, in an encoded word of at most 75 (RFC 2047, section 2)


def is_fit(text: str) -> bool:
    """Say whether a text may stand in a header: no line break of any kind, no control character but a tab."""
    return not any(unicodedata.category(c) in _UNFIT for c in text if c != "\t")


def unstructured(text: str) -> str:
    """Return the value of a Subject."""
    return text if not text or _PLAIN.fullmatch(text) else _encoded_words(text)


def mailbox(name: str, address: str) -> str:
    """Return the value of a From or To with one mailbox."""
    return f"{_phrase(name)} <{address}>" if name else address


def _phrase(name: str) -> str:
    if not _PLAIN.fullmatch(name):
        return _encoded_words(name)
    if _ATOMS.fullmatch(name):
        return name
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _encoded_words(text: str) -> str:
    """Return RFC 2047 words, one a line; none splits a letter."""
    words = [b""]
    for letter in text:
        piece = letter.encode("utf-8")
        if len(words[-1]) + len(piece) > _WORD_BYTES:
            words.append(b"")
        words[-1] += piece
    return "\r\n ".join(f"=?utf-8?b?{b64encode(word).decode('ascii')}?=" for word in words)
