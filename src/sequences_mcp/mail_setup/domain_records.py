"""What the DNS says of a sender's domain: who takes its mail, who may send for it, and what is missing.

SPF is RFC 7208, DKIM RFC 6376, DMARC RFC 7489. Gmail and Yahoo ask every sender for SPF or DKIM, and those of many
e-mails for all three (https://support.google.com/a/answer/81126). A hint is what the records say, not a verdict on
an e-mail: the headers of one that arrived give that.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from sequences_mcp.mail_setup.autoconfig import Lookup

if TYPE_CHECKING:
    from dns.resolver import Resolver

PATIENCE = 5.0  # seconds for all answers to one question
MOST_LOOKUPS = 10  # of an SPF record (RFC 7208, section 4.6.4)
# Where providers publish their DKIM keys: a domain may use any other name, so that none of these is no proof.
SELECTORS = ("google", "selector1", "selector2", "fm1", "fm2", "zoho", "default", "mail", "dkim", "s1", "k1")


class DnsLine(NamedTuple):
    """``ok`` is true or false, or None where the records do not tell."""

    ok: bool | None
    words: str


def dns_lookup(name: str, kind: str, *, resolver: Resolver | None = None) -> list[str]:
    """Return what the DNS has of one type under a name: hosts of MX, lines of SRV, texts of TXT; OSError.

    A name that is not there has none. Without a ``resolver`` the system's is asked.
    """
    import dns.exception
    import dns.resolver

    try:
        server = resolver or dns.resolver.get_default_resolver()
        answer = server.resolve(name, kind, lifetime=PATIENCE, search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except (dns.exception.DNSException, UnicodeError) as error:
        raise OSError(f"the DNS does not answer about {name} ({type(error).__name__})") from error
    return [record_text(record, kind) for record in answer]


def record_text(record: object, kind: str) -> str:
    """Return one record as text: of MX the host alone, of TXT its strings joined (RFC 7208, section 3.3)."""
    if kind == "MX":
        return str(record.exchange)  # type: ignore[attr-defined]
    if kind == "TXT":
        strings: tuple[bytes, ...] = record.strings  # type: ignore[attr-defined]
        return b"".join(strings).decode("ascii", "replace")
    return str(record)


def quiet_lookup(name: str, kind: str) -> list[str]:
    """Return the same, and nothing where the DNS does not answer: on a machine without a network."""
    try:
        return dns_lookup(name, kind)
    except OSError:
        return []


def dns_hints(domain: str, *, lookup: Lookup) -> Iterator[DnsLine]:
    """Yield what the DNS says of a domain that e-mails come from; a question without an answer is said so."""
    for question in (_mx, _spf, _dkim, _dmarc):
        try:
            yield from question(domain, lookup)
        except OSError as error:
            yield DnsLine(None, f"{error}.")


def _mx(domain: str, lookup: Lookup) -> Iterator[DnsLine]:
    hosts = [host.rstrip(".") for host in lookup(domain, "MX")]
    if hosts and hosts != [""]:
        yield DnsLine(True, f"MX: {', '.join(sorted(hosts))}.")
    else:
        yield DnsLine(False, f"MX: {domain} has none, so nobody can answer by e-mail.")


def _spf(domain: str, lookup: Lookup) -> Iterator[DnsLine]:
    records = [text for text in lookup(domain, "TXT") if text.lower().split(" ")[0] == "v=spf1"]
    if len(records) != 1:
        why = (
            "none: add the one that the mail provider names"
            if not records
            else "several, which counts as an error"
        )
        yield DnsLine(False, f"SPF: {domain} has {why}.")
        return
    terms = records[0].lower().split()
    asks = sum(term.lstrip("+-~?").split(":")[0].split("/")[0] in ("a", "mx", "ptr", "exists") for term in terms)
    asks += sum(term.lstrip("+-~?").startswith(("include:", "redirect=")) for term in terms)
    ends = next((term for term in terms if term.lstrip("+-~?") == "all"), "")
    if asks > MOST_LOOKUPS:
        yield DnsLine(False, f"SPF: {records[0]!r} asks {asks} names, and ten at most are allowed.")
    elif ends in ("all", "+all"):
        yield DnsLine(False, f"SPF: {records[0]!r} lets anybody send: end it in ~all or -all.")
    else:
        yield DnsLine(True, f"SPF: {records[0]!r}.")


def _dkim(domain: str, lookup: Lookup) -> Iterator[DnsLine]:
    records = {name: lookup(f"{name}._domainkey.{domain}", "TXT") for name in SELECTORS}
    names = [name for name, texts in records.items() if any("p=" in text for text in texts)]
    if names:
        yield DnsLine(True, f"DKIM: a key of {' and '.join(names)}.")
    else:
        words = "no key under the usual names; the headers of a message that arrived tell (`--send-test`)"
        yield DnsLine(None, f"DKIM: {words}.")


def _dmarc(domain: str, lookup: Lookup) -> Iterator[DnsLine]:
    for name in dict.fromkeys((domain, _organisation(domain))):
        records = [text for text in lookup(f"_dmarc.{name}", "TXT") if text.lower().startswith("v=dmarc1")]
        if len(records) == 1:
            yield DnsLine(True, f"DMARC: {records[0]!r} of {name}.")
            return
    words = f'none: add a TXT record _dmarc.{domain}, such as "v=DMARC1; p=none; rua=mailto:you@{domain}"'
    yield DnsLine(False, f"DMARC: {words}.")


def _organisation(domain: str) -> str:
    from sequences_mcp.domain.companies import registered_domain

    return registered_domain(domain) or domain
