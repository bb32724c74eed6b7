"""Which provider an address belongs to, and its servers: from the package's own data, then from the domain's DNS.

``autoconfig.xml`` is in the format of Thunderbird's database. An address is recognised by its domain; a domain of
one's own by its mail exchangers (MX), then by the servers that it names itself (SRV, RFC 6186 and 8314).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from sequences_mcp.domain.addresses import domain_of, host_key
from sequences_mcp.lazy_dataclasses import dataclass

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

Lookup = Callable[[str, str], list[str]]  # a name and a type of record to what the DNS has, an empty list for none
OAUTH = {"googlemail.com": "google", "office365.com": "microsoft", "hotmail.com": "microsoft"}
# The names of SRV records, and the schemes of what they name.
_SERVERS = (("_imaps", "imaps"), ("_submissions", "smtps"), ("_submission", "smtp"))


@dataclass(frozen=True, slots=True, kw_only=True)
class MailProvider:
    """A provider's servers as settings have them, for one address.

    ``oauth`` names the kind of sign-in without a password, where there is one; ``takes_password`` says whether a
    password signs in. ``note`` and ``page`` say what a person has to do at the provider first. ``known_by`` is
    what it was recognised by: the domain, its MX or its SRV records.
    """

    title: str
    smtp: str
    imap: str
    oauth: str = ""
    takes_password: bool = True
    note: str = ""
    page: str = ""
    known_by: str = "the domain"


def recognised(address: str, *, lookup: Lookup | None = None) -> MailProvider | None:
    """Return the provider of an address, or None; without ``lookup`` only by the address itself."""
    domain = domain_of(address) or ""
    domains, exchangers = _known()
    if entry := domains.get(domain):
        return _provider(entry, address)
    if lookup is None or "." not in domain:
        return None
    for host in sorted(lookup(domain, "MX")):
        labels = host_key(host).split(".")
        ends = (".".join(labels[start:]) for start in range(len(labels)))
        if entry := next((exchangers[end] for end in ends if end in exchangers), None):
            return _provider(entry, address, known_by=f"its mail exchanger {host.rstrip('.')}")
    return _by_srv(domain, lookup)


def of_one_provider(*urls: str) -> bool:
    """Say whether the hosts of these servers are of one registered domain, or the same."""
    from sequences_mcp.domain.companies import registered_domain

    hosts = [urlsplit(url).hostname or "" for url in urls]
    return len({registered_domain(host) or host for host in hosts}) == 1


def _by_srv(domain: str, lookup: Lookup) -> MailProvider | None:
    """Return the servers that a domain names itself; ``.`` as a host says that there is none (RFC 2782)."""
    urls: dict[str, str] = {}
    for service, scheme in _SERVERS:
        records = sorted(record.split() for record in lookup(f"{service}._tcp.{domain}", "SRV"))
        for _, _, port, host in (record for record in records if len(record) == 4 and record[3] != "."):
            urls.setdefault(scheme[:4], f"{scheme}://{host.rstrip('.')}:{port}")
            break
    if set(urls) != {"imap", "smtp"}:
        return None
    return MailProvider(title=domain, smtp=urls["smtp"], imap=urls["imap"], known_by="its SRV records")


@cache
def _known() -> tuple[Mapping[str, Element], Mapping[str, Element]]:
    """Return the entries by the domains of addresses, and by the ends of the names of mail exchangers."""
    from xml.etree import ElementTree

    text = files("sequences_mcp.mail_setup").joinpath("autoconfig.xml").read_text(encoding="utf-8")
    domains: dict[str, Element] = {}
    exchangers: dict[str, Element] = {}
    for entry in ElementTree.fromstring(text).iter("emailProvider"):  # noqa: S314 - a file of this package
        for domain in entry.iter("domain"):
            (exchangers if domain.get("purpose") == "mx" else domains)[domain.text or ""] = entry
    return domains, exchangers


def _provider(entry: Element, address: str, *, known_by: str = "the domain") -> MailProvider:
    ways = {way.text for way in entry.iter("authentication")}
    page = entry.find("documentation")
    return MailProvider(
        title=entry.findtext("displayName", ""),
        smtp=_url(entry.find("outgoingServer"), address, kind="smtp"),
        imap=_url(entry.find("incomingServer"), address, kind="imap"),
        oauth=OAUTH[entry.get("id", "").strip()] if "OAuth2" in ways else "",
        takes_password="password-cleartext" in ways,
        note=page.findtext("descr", "") if page is not None else "",
        page=page.get("url", "") if page is not None else "",
        known_by=known_by,
    )


def _url(server: Element | None, address: str, *, kind: str) -> str:
    """Return a server as settings have it; a user is named where it is not the address."""
    assert server is not None
    scheme = f"{kind}s" if server.findtext("socketType") == "SSL" else kind
    local = address.rpartition("@")[0]
    user = server.findtext("username", "").replace("%EMAILADDRESS%", "").replace("%EMAILLOCALPART%", local)
    account = f"{quote(user, safe='')}@" if user else ""
    return f"{scheme}://{account}{server.findtext('hostname')}:{server.findtext('port')}"
