"""What a test read itself, and nobody else would see: told here, it is searched for secrets as well."""

from __future__ import annotations

from typing import TypeVar

Text = TypeVar("Text", str, bytes)

# Filled by the test that runs, taken away after it.
HEARD: list[tuple[str, bytes]] = []
LEARNT: dict[str, str] = {}
SHORTEST = 16


def heard(where: str, text: Text) -> Text:
    """Return the text, which came from ``where``, once it was noted."""
    HEARD.append((where, text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")))
    return text


def learnt(name: str, secret: str) -> str:
    """Return a secret that a run made up, such as a session's, once it was noted.

    A shorter one is refused: it would be found by chance in what has nothing to do with it.
    """
    assert not secret or len(secret) >= SHORTEST, f"{name} has {len(secret)} letters"
    if secret:
        LEARNT[secret] = name
    return secret
