"""The settings of a server that others reach over the network: who signs in where, and its public addresses.

They are read with all others by ``settings``; their rows stand in its table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from sequences_mcp.domain.reviewers import ReviewSettings, Role
from sequences_mcp.domain.sender import Secret
from sequences_mcp.lazy_dataclasses import dataclass, replace

# Name, meaning, default, and whether it is a secret.
ROWS: tuple[tuple[str, str, str, bool], ...] = (
    ("SEQUENCES_OAUTH_ISSUER", "`serve`: where users sign in, `https://login.example.com/realm`.", "", False),
    ("SEQUENCES_OAUTH_AUDIENCE", "`serve`: the `aud` of their tokens.", "the server's own address", False),
    (
        "SEQUENCES_REVIEW_URL",
        "`serve`: the review page's own address, `https://review.example.com`; people sign in there to approve.",
        "",
        False,
    ),
    (
        "SEQUENCES_REVIEW_ISSUER",
        "Where they sign in to that page, by OpenID Connect.",
        "the issuer of the tokens",
        False,
    ),
    ("SEQUENCES_REVIEW_CLIENT_ID", "That page's client id there.", "", False),
    ("SEQUENCES_REVIEW_CLIENT_SECRET", "That client's secret, where it has one.", "", True),
    (
        "SEQUENCES_REVIEW_ROLE_CLAIM",
        "The claim that says what somebody may do there; one inside others with dots: `realm_access.roles`.",
        "email",
        False,
    ),
    (
        "SEQUENCES_REVIEW_ROLES",
        "What its values stand for, with commas: `ada@example.com=approver, bob@example.com=member`; a member "
        "looks and holds back, an approver approves too, an admin does everything.",
        "",
        False,
    ),
    (
        "SEQUENCES_APPROVERS",
        "`2`: two people approve whatever leaves, each signed in at that page, and neither of them asked for it.",
        "1",
        False,
    ),
    (
        "SEQUENCES_OPT_OUT_URL",
        "`serve`: a public address, `https://mail.example.com`, at which recipients opt out with one click; every "
        "e-mail names it.",
        "",
        False,
    ),
)


STRANGERS = (
    "SEQUENCES_APPROVERS: 2 needs one issuer for programs and the review page: with two, nobody can tell whether "
    "an approver is the person that a program planned for"
)
ALONE = (
    "SEQUENCES_APPROVERS: 2 needs SEQUENCES_REVIEW_URL, where people sign in: on one machine nobody can tell two "
    "of them apart"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedSettings:
    """What the settings say of a server on the network; ``review`` is None where its page is on loopback alone."""

    oauth_issuer: str | None = None
    oauth_audience: str | None = None
    review: ReviewSettings | None = None
    opt_out_url: str = ""
    approvers: int = 1


def read_hosted(
    read: Callable[[str, Callable[[str], Any], str], Any], *, lacking: Mapping[str, str]
) -> tuple[HostedSettings, list[str]]:
    """Return these settings, and what is wrong with them together; ``read`` takes a name, a parser and a default.

    ``lacking`` says of secrets that cannot be had in this process why not.
    """
    issuer = read("OAUTH_ISSUER", _issuer, "")
    hosted = HostedSettings(
        oauth_issuer=issuer,
        oauth_audience=read("OAUTH_AUDIENCE", one_word, "") or None,
        opt_out_url=read("OPT_OUT_URL", _address, "") or "",
        approvers=read("APPROVERS", _approvers, "1") or 1,
    )
    given = {
        "url": read("REVIEW_URL", _address, ""),
        "issuer": read("REVIEW_ISSUER", _issuer, "") or issuer,
        "client_id": read("REVIEW_CLIENT_ID", one_word, ""),
        "client_secret": read("REVIEW_CLIENT_SECRET", _secret, ""),
        "role_claim": read("REVIEW_ROLE_CLAIM", one_word, "email"),
        "roles": read("REVIEW_ROLES", _roles, ""),
    }
    if not given["url"]:
        return hosted, [ALONE] if hosted.approvers > 1 else []
    problems = list(_missing(given, lacking=lacking))
    if hosted.approvers > 1 and issuer not in (None, given["issuer"]):
        problems.append(STRANGERS)
    if problems or None in (given["roles"], given["role_claim"]):
        return hosted, problems
    if given["role_claim"] == "email":
        given["roles"] = {address.casefold(): role for address, role in given["roles"].items()}
    return replace(hosted, review=ReviewSettings(**given)), []


def _missing(given: Mapping[str, Any], *, lacking: Mapping[str, str]) -> Iterator[str]:
    url = "SEQUENCES_REVIEW_URL"
    if not given["issuer"]:
        yield f"{url}: people sign in there, which needs SEQUENCES_REVIEW_ISSUER or SEQUENCES_OAUTH_ISSUER"
    if not given["client_id"]:
        yield f"{url}: people sign in there, which needs SEQUENCES_REVIEW_CLIENT_ID, as registered at the issuer"
    if given["roles"] == {}:
        yield f"{url}: nobody could do anything there: SEQUENCES_REVIEW_ROLES says who may"
    if why := lacking.get("SEQUENCES_REVIEW_CLIENT_SECRET"):
        yield why


def _issuer(text: str) -> str | None:
    if not text:
        return None
    from sequences_mcp.sign_in.client import checked_authority

    checked_authority(text)
    return text  # as it stands: an issuer that ends in a slash says so in its tokens


def one_word(text: str) -> str:
    """Return a text as it stands in tokens; ValueError for one of several words."""
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError(f"{text!r} has to be one word, as it stands in the tokens")
    return text


def _approvers(text: str) -> int:
    if text not in ("1", "2"):
        raise ValueError(f"{text!r} is neither 1 nor 2")
    return int(text)


def _secret(text: str) -> Secret | None:
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("it holds a blank or a letter that no secret has")
    return Secret(text) if text else None


def _address(text: str) -> str:
    """Return an origin as browsers write it: a scheme, a host in small letters, an unusual port."""
    if not text:
        return ""
    parts = urlsplit(text)
    port = f":{parts.port}" if parts.port not in (None, 443) else ""
    is_bare = not (parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc)
    if parts.scheme != "https" or not parts.hostname or not is_bare or not text.isascii():
        raise ValueError(f"{text!r} is not of the form https://name or https://name:port, without a path")
    return f"https://{parts.hostname}{port}"


def _roles(text: str) -> Mapping[str, Role]:
    roles: dict[str, Role] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        value, _, name = (piece.strip() for piece in part.rpartition("="))
        if not value or name not in set(Role):
            raise ValueError(f"{part!r} is not of the form value=member, value=approver or value=admin")
        if roles.get(value, name) != name:
            raise ValueError(f"{value!r} has two roles")
        roles[value] = Role(name)
    return roles
