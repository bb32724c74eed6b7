"""What stands around a name and is no part of it: greetings, titles, degrees and suffixes of respect.

The one list of them. The guards find them in a name, where a greeting would double them; an import takes them off
a full name, and the settings off the sender's, before it is told apart into a first and a last one.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence

_SHORT = 4


def word_key(word: str) -> str:
    """Return a word without case and signs but with its accents."""
    return "".join(filter(str.isalnum, word.casefold()))


def _keys(words: str) -> frozenset[str]:
    """Return each word as it is compared, with its accents and without; a short one without may be a name."""
    plain = (word for word in words.split() if len(word) > _SHORT)
    bare = ("".join(filter(str.isalnum, unicodedata.normalize("NFKD", word))).casefold() for word in plain)
    return frozenset({*map(word_key, words.split()), *bare})


GREETINGS = _keys("dear hi hello hey hola bonjour hallo ciao olá attn z.hd z.hdn")
TITLES = _keys(
    "mr mrs ms miss mx dr drs doctor dame ir prof professor sir madam rev hon capt lt sgt "
    "m mme mlle monsieur madame mademoiselle maître herr herrn frau hr fr dipl ing mag dipl-ing dipl-kfm "
    "dipl-kffr dipl-inf dipl-phys dipl-math dipl-volksw dipl-betriebsw dipl-psych dipl-chem dipl-biol "
    "dipl-wirt-ing dr-ing fräulein sr sra srta señor señora señorita don doña dña sig sigra signor signora dott "
    "dottssa dottoressa avv senhor senhora dra mevrouw meneer dhr mevr pan pani inż bay bayan господин госпожа "
    "г-н г-жа д-р"
)
# Titles that are names or initials too, where no dot and no name follows.
ALSO_NAMES = _keys("don mag bay pan rev hon miss m ing hr lt capt sgt sig ir dame")
FIRST_NAMES_TOO = _keys("don mag bay pan hon m ing hr sig ir dame")
# Of what somebody is a doctor: only behind a title, for Phil and Nat are names.
FACULTIES = _keys("hc med rer nat phil jur iur oec pol ing theol dent vet techn habil")
HONORIFICS = ("様", "さま", "さん", "殿", "先生", "氏", "女士", "小姐", "님", "씨")
DEGREES = _keys(
    "mba phd ph.d md m.d dds jd esq cpa cfa pmp llm llb ll.m ll.b msc m.sc bsc b.sc ba b.a ma m.a bs ms meng beng "
    "m.b.a m.ed b.ed mph rn shrm-cp shrm-scp phr sphr csm cissp ccna itil pe pmi-acp acca fca aca frcs dphil edd "
    "psyd dba mphil msw lcsw bcom mcom obe mbe cbe dr.-ing dipl.-ing dipl.-kfm"
)
SURNAMES_TOO = _keys("ma ba bs pe")
_WRITTEN_AS_NAMES = ("Meng", "Beng")
_MIXED_CASE = ("PhD", "Esq", "Ph.D", "EdD", "MEng", "BEng", "BSc", "B.Sc", "MSc", "M.Sc")
# What tells a son from his father is a part of the name.
GENERATIONS = _keys("jr sr ii iii iv junior senior fils filho neto sobrinho júnior")


def is_form_of_address(word: str, *, alone: bool) -> bool:
    """Say whether a word is a greeting or a title; with ``alone`` one that is a name too needs a dot."""
    key = word_key(word)
    if key not in TITLES and key not in GREETINGS:
        return False
    return word.endswith(".") or not alone or key not in ALSO_NAMES


def is_degree(word: str) -> bool:
    """Say whether a word is a degree; a short one is told from a name, such as Ma, by its capitals."""
    key = word_key(word)
    if key not in DEGREES:
        return False
    is_long = len(key) > 3 and word not in _WRITTEN_AS_NAMES
    return is_long or word.upper() == word or word.rstrip(".") in _MIXED_CASE


def is_surely_title(word: str) -> bool:
    """Say whether a word before others is a title: one that may be a first name too needs a dot."""
    key = word_key(word)
    return key in TITLES and (word.endswith(".") or key not in FIRST_NAMES_TOO)


def without_titles(words: Sequence[str], is_title: Callable[[str], bool] = is_surely_title) -> Sequence[str]:
    """Return the words of a name from the first that is no title; the last word always stays."""
    at = 0
    while at < len(words) - 1 and (
        is_title(words[at]) or (at > 0 and words[at].endswith(".") and word_key(words[at]) in FACULTIES)
    ):
        at += 1
    return words[at:]


def without_degrees(words: Sequence[str], *, least: int = 1) -> Sequence[str]:
    """Return the words of a name without the degrees behind them, of which at least so many words stay."""
    end = len(words)
    while end > least and is_degree(words[end - 1]):
        end -= 1
    return words[:end]
