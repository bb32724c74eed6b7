"""A fence around text written by strangers, which that text cannot close."""

from __future__ import annotations

from hashlib import sha256


def fenced(label: str, text: str) -> str:
    """Return the text between two lines that only its own SHA-256 can produce.

    Nobody can write a text that contains its own digest, so nothing in the text can look like the closing line;
    and the same text always gives the same prompt.
    """
    mark = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return f"--- {label} {mark} ---\n{text}\n--- end of {label} {mark} ---"
