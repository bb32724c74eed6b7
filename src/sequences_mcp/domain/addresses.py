"""E-mail addresses and domains: parsed and validated on input, afterwards compared by a normalised key.

Three forms of an address: ``text`` as people write it, ``wire`` as a mail server gets it (domain in ASCII),
``key`` for comparison (lower case, NFKC, no invisible characters).
"""

from __future__ import annotations

import re
import unicodedata

from sequences_mcp.domain import invisible
from sequences_mcp.errors import InvalidArgumentsError
from sequences_mcp.lazy_dataclasses import dataclass
from sequences_mcp.remembering import VALUES

_LABELS = r"(?:[\w-]{1,63}[.\u3002\uff0e\uff61]){1,8}[\w-]{2,63}(?![\w⟨-])"
_HOST = re.compile(rf"(?<=[@/])(?<![^:/@]/){_LABELS}|\bwww\.{_LABELS}")


def with_wire_forms(text: str) -> str:
    """Return the text with ``⟨xn--…⟩`` after each domain of an address or a link that is not plain ASCII."""
    return text if text.isascii() else _HOST.sub(_both, text)


def _both(match: re.Match[str]) -> str:
    host = match[0]
    wire = host if host.isascii() else host_key(host)
    return f"{host}⟨{wire}⟩" if wire.isascii() and wire != host.lower() else host


LONGEST = 254  # RFC 5321, 4.5.3.1.3 with erratum 1690
LONGEST_LOCAL = 64  # RFC 5321, 4.5.3.1.1
LONGEST_HOST = 253  # RFC 1035, 2.3.4
SHOWN = 80

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESSES_HOST = rf"(?:{_LABEL}\.)+[A-Za-z]{{2,63}}"
_ATOM = r"[A-Za-z0-9_+-]+"
# Nearly every address matches these; email_validator, which takes long to import, is only used for the rest.
_PLAIN_HOST = re.compile(_ADDRESSES_HOST)
_PLAIN = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_ADDRESSES_HOST}")
_SPECIAL = ("arpa", "invalid", "local", "localhost", "onion", "test")  # RFC 6761, 6762, 7686: nobody's mailbox
# RFC 5322 allows these before the @. In practice they come from a template, a mask, an encoding or a source route.
_UNLIKELY = re.compile(r"[%{}|*!?`^$\\]")
_SCHEME = re.compile(r"[a-z]+:", re.IGNORECASE)
_REMEMBERED = 16_384  # more than the people of one start, each of whom is asked for again and again


@dataclass(frozen=True, slots=True)
class Address:
    """One e-mail address in its three spellings."""

    text: str
    wire: str
    key: str

    @property
    def host(self) -> str:
        """The domain in ASCII, as it is compared."""
        return self.key.rpartition("@")[2]


@VALUES.up_to(_REMEMBERED)
def read_address(text: str) -> Address:
    """Return the address that a text is; InvalidArgumentsError says what is wrong with it.

    Space and invisible characters around it are removed; inside it they are refused.
    """
    if (plain := _read_plain(text)) is not None:
        return plain
    raw = _trimmed(text[: 4 * LONGEST])
    if len(text) > 4 * LONGEST or len(raw.encode("utf-8", "replace")) > LONGEST:
        raise _bad_address(raw, f"it is longer than {LONGEST} bytes")
    return _read_plain(raw) or _read_carefully(raw)


def _read_plain(text: str) -> Address | None:
    """Return an address of ASCII letters, digits and the usual signs alone, as nearly every one is; None else."""
    if len(text) > LONGEST or _PLAIN.fullmatch(text) is None:
        return None
    local, _, host = text.rpartition("@")
    if len(local) > LONGEST_LOCAL or not _is_plain_host(host):
        return None
    wire = f"{local}@{host.lower()}"
    return Address(text=wire, wire=wire, key=wire.lower())


def _read_carefully(text: str) -> Address:
    from email_validator import EmailNotValidError, validate_email

    local = text.rpartition("@")[0]
    if why := _flaw(text, local=local):
        raise _bad_address(text, why)
    try:
        parsed = validate_email(text, strict=True, check_deliverability=False)
    except EmailNotValidError as error:
        raise _bad_address(text, _clause(error)) from error
    if len(parsed.local_part.encode()) > LONGEST_LOCAL:
        raise _bad_address(text, f"the part before the @ is longer than {LONGEST_LOCAL} bytes")
    host = parsed.ascii_domain.lower()
    _require_top_level(text, host)
    return Address(
        text=f"{parsed.local_part}@{parsed.domain.lower()}",
        wire=f"{parsed.local_part}@{host}",
        key=f"{_local_key(parsed.local_part)}@{host}",
    )


def _flaw(text: str, *, local: str) -> str | None:
    """Return a problem that email_validator accepts or describes badly, or None."""
    hidden = next((letter for letter in text if has_hidden_host(letter)), None)
    if hidden is not None:
        return f"it has an invisible character in it (U+{ord(hidden):04X}); write it anew, without that"
    if any(letter.isspace() for letter in text):
        return "it has a space in it"
    if match := _UNLIKELY.search(local):
        return f"{match[0]!r} stands before the @, as in a template, a mask or an encoding, not in an address"
    if local[:1] == "'" or local[-1:] == "'":
        return "it stands in quotes"
    if unicodedata.normalize("NFKC", local) != unicodedata.normalize("NFC", local):
        return "the part before the @ has letters that only look like the usual ones"
    return None


def is_address(text: str) -> bool:
    """Say whether this is one plain address and nothing else."""
    try:
        return bool(read_address(text))
    except InvalidArgumentsError:
        return False


def address_key(text: str) -> str:
    """Return the normalised form of an address, equal for all its spellings; for comparisons.

    Raises nothing: a text that is no address is normalised as far as possible.
    """
    return text.lower() if len(text) > 4 * LONGEST else _address_key(text)


_MOST_READINGS = 8


@VALUES.up_to(_REMEMBERED)
def _address_key(text: str) -> str:
    # Removing one invisible character or quote can expose another, so the key is computed until it is stable.
    for _ in range(_MOST_READINGS):
        try:
            return read_address(text).key
        except InvalidArgumentsError:
            local, at, host = unicodedata.normalize("NFKC", text).strip().rpartition("@")
            key = f"{_local_key(local)}{at}{host_key(host)}"
        if key == text:
            break
        text = key
    return text


def wire_address(text: str) -> str:
    """Return an address as a mail server gets it; InvalidArgumentsError."""
    return read_address(text).wire


def spellings(text: str) -> tuple[str, ...]:
    """Return an address as a mail server gets it, then as people write it where that differs; raises nothing.

    For a search that compares letter by letter. What is no address is returned as it is.
    """
    try:
        address = read_address(text)
    except InvalidArgumentsError:
        return (text,)
    return tuple(dict.fromkeys((address.wire, address.text)))


def read_host(text: str) -> str:
    """Return a domain in ASCII, as it is compared; InvalidArgumentsError.

    Accepts what people write for a domain: ``@example.com``, ``https://www.example.com/jobs``.
    """
    raw = _trimmed(text[: 4 * LONGEST])
    bare = re.split(r"[/?#]", re.sub(r"^[a-z][a-z+.-]*://", "", raw, flags=re.IGNORECASE), maxsplit=1)[0]
    bare = bare.removeprefix("@").removesuffix(".")
    if bare.lower().startswith("www."):
        bare = bare[4:]
    if _is_plain_host(bare):
        return bare.lower()
    try:
        return read_address(f"a@{bare}").host
    except InvalidArgumentsError as error:
        raise InvalidArgumentsError(
            f"{_shown(raw)} is not a domain.", next_step="Give one like example.com."
        ) from error


def host_key(text: str) -> str:
    """Return the normalised form of a domain, in ASCII where it has one; raises nothing."""
    plain = text.strip().rstrip(".").lower()
    if plain.isascii() and plain.isprintable() and "xn--" not in plain:
        return plain
    return _ascii_host(plain) if len(plain) <= 4 * LONGEST else plain


@VALUES.up_to(4_096)
def _ascii_host(plain: str) -> str:
    import idna

    # Once as it is, then without invisible characters, which UTS 46 partly forbids.
    for item in (plain, "".join(letter for letter in plain if not has_hidden_host(letter))):
        try:
            return idna.encode(item, uts46=True, transitional=False).decode("ascii").lower()
        except idna.IDNAError:
            continue
    return unicodedata.normalize("NFKC", visible_address(plain))


def shown_host(host: str) -> str:
    """Return a domain as people write it, from its ASCII form."""
    if "xn--" not in host:
        return host
    import idna

    try:
        return idna.decode(host)
    except idna.IDNAError:
        return host


def domain_of(email: str | None) -> str | None:
    """Return the domain of an address in ASCII, or None."""
    return address_key(email).rpartition("@")[2] or None if email else None


def has_hidden_host(letter: str) -> bool:
    """Say whether a character is invisible, a control, unassigned or private: none belongs in an address."""
    return invisible.is_hidden(letter) or unicodedata.category(letter) in ("Cc", "Cn", "Co")


def visible_address(text: str) -> str:
    """Return a text without its invisible characters, for suppressions, which must match any spelling."""
    return "".join(letter for letter in text if not has_hidden_host(letter))


def _trimmed(text: str) -> str:
    """Return the text without space and invisible characters at its ends."""
    first = next((place for place, c in enumerate(text) if not (c.isspace() or has_hidden_host(c))), len(text))
    behind = next((place for place, c in enumerate(reversed(text)) if not (c.isspace() or has_hidden_host(c))), 0)
    return text[first : len(text) - behind]


def _local_key(local: str) -> str:
    plain = "".join(letter for letter in unicodedata.normalize("NFKC", local) if not has_hidden_host(letter))
    return plain.strip().lower()


def _is_plain_host(host: str) -> bool:
    fits = len(host) <= LONGEST_HOST and _PLAIN_HOST.fullmatch(host) is not None
    return fits and "--" not in host and host.rpartition(".")[2].lower() not in _SPECIAL


def _require_top_level(text: str, host: str) -> None:
    if len(host.rpartition(".")[2]) < 2:
        raise _bad_address(text, "its domain ends in a single letter")


def _clause(error: Exception) -> str:
    """Return the library's message in the form of a clause: lower case first letter, no full stop."""
    words = str(error).removesuffix(".")
    return words[:1].lower() + words[1:]


def _bad_address(text: str, why: str) -> InvalidArgumentsError:
    hint = "Write it like name@example.com."
    if _SCHEME.match(text) or "<" in text:
        hint = "Give the address alone, like name@example.com."
    return InvalidArgumentsError(f"{_shown(text)} is not an e-mail address: {why}.", next_step=hint)


def _shown(text: str) -> str:
    short = text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
    return repr(invisible.draw(short, keep=""))
