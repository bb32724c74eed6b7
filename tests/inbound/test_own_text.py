"""What somebody newly wrote, and whether it is an opt-out: never because of the words that we sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.world.inbound_languages import ANSWERS, NO_OPT_OUTS, OPT_OUTS, OURS, styles

from sequences_mcp.engine.inbound.absence import away_until
from sequences_mcp.engine.inbound.opt_out import is_opt_out
from sequences_mcp.engine.inbound.own_text import new_text
from sequences_mcp.engine.inbound.parsing import parse_inbound

MINE = (OURS.text, OURS.subject)
QUOTED = [
    pytest.param(answer, data, id=f"{language}, {style}")
    for language, (answer, introduction) in ANSWERS.items()
    for style, data in styles(answer, introduction)
]


def said(data: bytes) -> str:
    return new_text(parse_inbound(data).text, MINE)


@pytest.mark.parametrize(("answer", "data"), QUOTED)
def test_an_answer_is_kept_and_our_line_about_stopping_is_not(answer: str, data: bytes) -> None:
    text = said(data)
    assert answer in " ".join(text.split())
    assert "unsubscribe" not in text.lower()
    assert not is_opt_out(text, f"Re: {OURS.subject}")


def test_there_are_seventy_of_them() -> None:
    assert len(QUOTED) == 70


@pytest.mark.parametrize("words", OPT_OUTS)
@pytest.mark.parametrize("style", range(7))
def test_an_opt_out_is_heard_whatever_is_quoted_below_it(words: str, style: int) -> None:
    introduction = ANSWERS["English"][1]
    _, data = list(styles(words, introduction))[style]
    assert is_opt_out(said(data), f"Re: {OURS.subject}")


@pytest.mark.parametrize("words", NO_OPT_OUTS)
def test_an_answer_that_only_has_such_a_word_is_no_opt_out(words: str) -> None:
    assert not is_opt_out(words, "Re: A role in Lyon")


@pytest.mark.parametrize(
    "footer",
    [
        "If you no longer wish to receive our e-mails, you can unsubscribe at any time.",
        "If you are not the intended recipient, please delete it and do not contact us again.",
        "If you wish to opt out, follow the link.",
        "Wenn Sie keine weiteren E-Mails erhalten möchten, melden Sie sich beim Newsletter ab.",
        "Als u geen e-mails meer wilt ontvangen, klik hier.",
    ],
)
def test_a_companys_own_footer_is_no_opt_out(footer: str) -> None:
    assert not is_opt_out(f"Yes, Tuesday suits me.\nBob\n{footer}")
    assert is_opt_out(f"Please remove me from your list.\nBob\n{footer}")


def test_a_subject_alone_can_be_an_opt_out() -> None:
    assert is_opt_out("", "unsubscribe")
    assert is_opt_out("Bob", "STOP")
    assert not is_opt_out("", "Re: Stop looking, start building")


def test_an_opt_out_with_words_of_ours_in_it_is_heard() -> None:
    text = new_text("I do not want to hear from you again.\n\n> If you do not want to hear from me again", MINE)
    assert is_opt_out(text)


MONDAY = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
NAMED = {
    "I am out of the office until 4 December 2026.": (2026, 12, 4),
    "I'm away from November 23rd to December 2nd, call 0123-4567 meanwhile.": (2026, 12, 2),
    "I will be back on Monday.": (2026, 11, 30),
    "Back on Monday, 30 November.": (2026, 11, 30),
    "Returning 12/01/2026": (2026, 12, 1),
    "Ich bin bis zum 04.12.2026 nicht im Büro.": (2026, 12, 4),
    "Ab dem 1. Dezember bin ich wieder da.": (2026, 12, 1),
    "Je suis absent du 24/11 au 02/12 inclus.": (2026, 12, 2),
    "De retour le 1er décembre": (2026, 12, 1),
    "Estaré fuera hasta el 3 de diciembre.": (2026, 12, 3),
    "Sono in ferie fino al 4 dicembre.": (2026, 12, 4),
    "Estarei ausente até 4 de dezembro.": (2026, 12, 4),
    "Ik ben afwezig tot 4 december.": (2026, 12, 4),
    "Jestem na urlopie do 4 grudnia.": (2026, 12, 4),
    "Jag är tillbaka den 1 december.": (2026, 12, 1),
    "Jeg er tilbage den 1. december.": (2026, 12, 1),
    "Olen takaisin 1. joulukuuta.": (2026, 12, 1),
    "2026-12-03 back": (2026, 12, 3),
    "I'm away from Nov 20 - Dec 4.": (2026, 12, 4),
    "Urlaub vom 20.-27. November.": (2026, 11, 27),
    "Ich bin vom 23.11.-04.12.2026 nicht im Büro": (2026, 12, 4),
    "Out of office 23/11 - 04/12": (2026, 12, 4),
    "Absent du 23 au 27 novembre": (2026, 11, 27),
    "del 23 al 27 de noviembre": (2026, 11, 27),
    "I am out of office 23-27 November": (2026, 11, 27),
    "between 23rd and 30th November": (2026, 11, 30),
    "away until Friday": (2026, 11, 27),
    "back next Monday": (2026, 11, 30),
    "I'll be back on Dec. 4th": (2026, 12, 4),
    "back on the 4th of December": (2026, 12, 4),
    "Back Friday, December 4, 2026.": (2026, 12, 4),
    "returning on 04-Dec-2026": (2026, 12, 4),
    "return: 4 Dec 26": (2026, 12, 4),
    "until 2026/12/04": (2026, 12, 4),
    "bis 4.12.26": (2026, 12, 4),
    "bis zum 4. Dez.": (2026, 12, 4),
    "jusqu'au vendredi 4 déc.": (2026, 12, 4),
    "jusqu’au 4/12/2026": (2026, 12, 4),
    "jusqu'au 04.12.2026 inclus": (2026, 12, 4),
    "hasta el viernes 4 de dic.": (2026, 12, 4),
    "hasta el 4/12": (2026, 12, 4),
    "fino a venerdì 4 dicembre compreso": (2026, 12, 4),
    "rientrerò il giorno 1/12": (2026, 12, 1),
    "até dia 4/12/2026": (2026, 12, 4),
    "regresso a 1 de dezembro": (2026, 12, 1),
    "tot en met vrijdag 4 december": (2026, 12, 4),
    "vanaf 1 december weer bereikbaar": (2026, 12, 1),
    "do dnia 4 grudnia": (2026, 12, 4),
    "do 4.12.2026 włącznie": (2026, 12, 4),
    "wracam 1 grudnia": (2026, 12, 1),
    "t.o.m. 4/12": (2026, 12, 4),
    "åter den 1/12": (2026, 12, 1),
    "til og med 4/12": (2026, 12, 4),
    "tilbage mandag d. 30. november": (2026, 11, 30),
    "tilbake mandag 30.11.": (2026, 11, 30),
    "4.12. asti": (2026, 12, 4),
    "palaan töihin maanantaina 30.11.": (2026, 11, 30),
    "до 4 декабря включительно": (2026, 12, 4),
    "вернусь в понедельник, 30 ноября": (2026, 11, 30),
    "до 04.12": (2026, 12, 4),
    "12月4日（金）まで": (2026, 12, 4),
    "12/4まで不在": (2026, 12, 4),
    "休假至12月4日": (2026, 12, 4),
    "2026년 12월 4일까지": (2026, 12, 4),
    "12월 4일에 복귀": (2026, 12, 4),
    "Office closed 24 December to 1 January. I am away until 27 November.": (2026, 11, 27),
    "Our office will be closed on 1 December. I return on 27 November.": (2026, 11, 27),
    "tomorrow I am back": (2026, 11, 24),
    "morgen wieder da": (2026, 11, 24),
    "Ab morgen wieder": (2026, 11, 24),
    "back in the office Tuesday": (2026, 11, 24),
    "ab 1. Dezember wieder": (2026, 12, 1),
    "Away Mon 23 Nov – Wed 25 Nov": (2026, 11, 25),
    "bis einschließlich Freitag, 27.11.": (2026, 11, 27),
    "sono assente dal 23 al 27 novembre": (2026, 11, 27),
    "de 23 a 27 de novembro": (2026, 11, 27),
    "van 23 t/m 27 november": (2026, 11, 27),
    "od 23 do 27 listopada": (2026, 11, 27),
    "23.–27.11.": (2026, 11, 27),
    "с 23 по 27 ноября": (2026, 11, 27),
}


@pytest.mark.parametrize(("text", "day"), NAMED.items())
def test_somebody_is_away_until_the_day_that_they_name(text: str, day: tuple[int, int, int]) -> None:
    assert away_until(text, MONDAY) == datetime(*day, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "I am away.",
        "Since 2 November I am away.",
        "",
        "Call 555-12-34, room 3.14",
        "12.5 percent",
        "order 4-12-77",
    ],
)
def test_without_a_day_to_come_it_is_seven_days(text: str) -> None:
    assert away_until(text, MONDAY) == MONDAY + timedelta(days=7)


@pytest.mark.parametrize("text", ["Back on 12 January.", "Zurück am 01.03.2027", "until December 24, 2026"])
def test_it_is_never_more_than_fourteen_days(text: str) -> None:
    assert away_until(text, MONDAY) == MONDAY + timedelta(days=14)


def test_a_day_without_a_year_is_the_next_one_of_that_name() -> None:
    december = datetime(2026, 12, 28, 9, tzinfo=UTC)
    assert away_until("until 4 January", december) == datetime(2027, 1, 4, tzinfo=UTC)
