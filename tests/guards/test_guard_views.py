"""The five views: what each shows, and that a place in one is found again in the text as written."""

from __future__ import annotations

import pytest

from sequences_mcp.guards.check import check_text
from sequences_mcp.guards.lookalikes import fold, key
from sequences_mcp.guards.markup import TAG, decode, is_markup_tag
from sequences_mcp.guards.views import COVER, Pair, greetings, pair, views_of


def shown(text: str) -> dict[str, str]:
    return {view.name: view.text for view in views_of(text)}


def test_a_plain_text_has_one_view() -> None:
    assert shown("Hi Jane, [1] é – 山田") == {"raw": "Hi Jane, [1] é – 山田"}


def test_exact_variables_are_covered_letter_for_letter() -> None:
    assert views_of("Hi {{firstname}}!")[0].text == "Hi " + COVER * 13 + "!"
    assert views_of("Hi {{firstname}}!", covered=False)[0].text == "Hi {{firstname}}!"
    assert views_of("Hi {{firstName}}!")[0].text == "Hi {{firstName}}!"


def test_each_view_starts_from_the_one_before() -> None:
    seen = shown("&#38;lt;b&gt;[c\u200b\u043em]&lt;/b&gt;")
    assert list(seen) == ["raw", "decoded", "decoded twice", "without tags", "visible", "folded"]
    assert seen["decoded"] == "&lt;b>[c\u200b\u043em]</b>"
    assert seen["decoded twice"] == "<b>[c\u200b\u043em]</b>"
    assert seen["without tags"] == "[c\u200b\u043em]"
    assert seen["visible"] == "[c\u043em]"
    assert seen["folded"] == "[com]"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("at [company].", "[company]"),
        ("at &#91;company&#93;.", "&#91;company&#93;"),
        ("at &amp;#91;company&amp;#93;.", "&amp;#91;company&amp;#93;"),
        ("<p>at [com<b></b>pany].</p>", "[com<b></b>pany]"),
        ("at [\u200bcompany\u200b].", "[\u200bcompany\u200b]"),
        ("ﬃ ﬃ at ［company］.", "［company］"),
        ("½ ﬁ {{ﬁrstname}}.", "{{ﬁrstname}}"),
        ("<i>ﬁ</i> &lt; \u200b {{&#102;irst\u200bname}}!", "{{&#102;irst\u200bname}}"),
        ("&lbrace;&lbrace;job&rbrace;&rbrace;", "&lbrace;&lbrace;job&rbrace;&rbrace;"),
        ("\u200b\u200bHi ｛job｝", "｛job｝"),
        ("ﬁﬁ ½ ｛job｝ ﬃ", "｛job｝"),
        ("x<br><br>&lt;company&gt;<br>", "&lt;company&gt;"),
    ],
)
def test_a_finding_points_at_the_text_as_written(text: str, place: str) -> None:
    first = check_text(text, field="content")[0]
    assert text[first.start : first.end] == place


@pytest.mark.parametrize(
    "text", ["a&amp;b&lt;c", "<b>x</b>y<i>z</i>", "\u200ba\u200bb\u200b", "ﬁ½ﬃx", "&amp;lt;b&gt;ﬁ\u00ad!"]
)
def test_every_place_of_every_view_leads_into_the_text(text: str) -> None:
    for view in views_of(text):
        spans = [view.span(place, place + 1) for place in range(len(view.text))]
        assert all(0 <= start < end <= len(text) for start, end in spans)
        assert spans == sorted(spans)
        assert view.span(0, len(view.text))[0] == (spans[0][0] if spans else 0)


def test_a_letter_that_did_not_change_leads_to_itself() -> None:
    text = "&lt;\u200bﬁ<b>z</b>y"
    for view in views_of(text):
        place = view.text.index("y")
        assert text[slice(*view.span(place, place + 1))] == "y"


def test_brackets_are_paired_from_the_inside_and_never_over_an_empty_line() -> None:
    found = pair("[a [b] c] ] [ [\n \r\n]", "[", closing="]")
    assert found.pairs == (Pair(0, 8), Pair(3, 5))
    assert found.opens == (12, 14)
    assert found.closes == (10, 19)
    assert pair("[a\nb]", "[", closing="]").pairs == (Pair(0, 4),)
    assert pair("none", "[", closing="]") == ((), (), ())


def test_look_alikes_share_a_skeleton_and_brackets_keep_theirs() -> None:
    assert fold("с\u043empаny ﬁ ｛｝ ❴ ⦄ Ⅷ") == "company fi {} { } VIII"
    assert fold("［＜【（…") == "［＜【（…"
    assert key("Prénom") == key("prenom") == key("PRE\u0301NOM") == "prenom"
    assert key("first_Name ") == "firstname"
    assert key("c\u200bо") == "co"


def test_folding_more_letters_than_are_remembered_still_folds() -> None:
    many = "".join(map(chr, range(0x3400, 0x3400 + 30_000)))
    assert fold(many + "ﬁ") == fold(many) + "fi"


def test_only_the_first_greetings_of_a_text_are_looked_at() -> None:
    assert len(greetings("Hi Jane, " * 60)) == 50
    assert greetings("Hi Jane. Well, hi Joe") == (3, 18)
    assert greetings("I say hi Joe") == ()


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<b>", True),
        ("</DIV>", True),
        ("<br/>", True),
        ("<o:p>", True),
        ("<!-- x -->", True),
        ("<company>", False),
        ("<title>", False),
        ("<time datetime='1'>", True),
        ("<time>now</time>", True),
    ],
)
def test_markup_is_told_from_text(markup: str, expected: bool) -> None:
    match = TAG.match(markup)
    assert match is not None
    assert is_markup_tag(match) is expected


def test_entities_that_mean_nothing_stay() -> None:
    assert decode("&nope;") == "&nope;"
    assert decode("&lbrack;") == "["
