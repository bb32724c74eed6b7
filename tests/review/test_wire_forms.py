"""A domain that looks like another is shown as the wire has it, in addresses and links, wherever one looks."""

from __future__ import annotations

import pytest

from sequences_mcp.domain.addresses import with_wire_forms
from sequences_mcp.domain.plain_words import as_shown
from sequences_mcp.review.page.app import environment


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("maria@gl\u043ebex.example", "maria@gl\u043ebex.example⟨xn--glbex-kye.example⟩"),
        ("Look: https://p\u0430ypal.com/x.", "Look: https://p\u0430ypal.com⟨xn--pypal-4ve.com⟩/x."),
        ("https://me@p\u0430ypal.com:80/", "https://me@p\u0430ypal.com⟨xn--pypal-4ve.com⟩:80/"),
        ("www.m\u00fcller.de now", "www.m\u00fcller.de⟨www.xn--mller-kva.de⟩ now"),
        ("<ada@stra\u00dfe.de>", "<ada@stra\u00dfe.de⟨xn--strae-oqa.de⟩>"),
    ],
)
def test_a_domain_of_other_scripts_is_shown_twice(text: str, shown: str) -> None:
    assert with_wire_forms(text) == as_shown(text) == shown
    assert as_shown(shown) == shown
    assert shown.replace("<", "&lt;").replace(">", "&gt;") in environment().from_string("{{ one }}").render(
        one=text
    )


@pytest.mark.parametrize(
    "text",
    [
        "plain@example.com",
        "caf\u00e9 and/or n\u00e4chste.Woche",
        "pr\u00eat.Merci",
        "https://example.com/jos\u00e9.html",
        "",
    ],
)
def test_other_words_stay_as_they_are(text: str) -> None:
    assert with_wire_forms(text) == text
