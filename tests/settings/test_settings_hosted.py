"""The settings of a server on the network: what belongs together, and what each says that is missing."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.secrecy import planted

from sequences_mcp.domain.reviewers import Role
from sequences_mcp.errors import SettingsError
from sequences_mcp.settings import Settings, read_settings

SECRET = planted.BAD_SETTING.value
WHOLE = {
    "SEQUENCES_REVIEW_URL": "https://Review.example.com:443/",
    "SEQUENCES_REVIEW_ISSUER": "https://login.example.com/",
    "SEQUENCES_REVIEW_CLIENT_ID": "review",
    "SEQUENCES_REVIEW_ROLES": "Ada@example.com=approver, bob@example.com=member, ada=b@example.com=admin",
}


def of(tmp_path: Path, **changed: str) -> Settings:
    """Return these settings of a data folder, some of them changed."""
    environ = {**WHOLE, **{f"SEQUENCES_{name}": value for name, value in changed.items()}}
    return read_settings({**environ, "SEQUENCES_DATA_DIR": str(tmp_path)})


def test_the_page_is_known_by_its_origin_and_its_people_by_their_addresses_in_small_letters(
    tmp_path: Path,
) -> None:
    review = of(tmp_path).hosted.review
    assert review is not None
    assert (review.url, review.callback) == (
        "https://review.example.com",
        "https://review.example.com/sign-in/back",
    )
    assert review.issuer == "https://login.example.com/"
    assert review.roles == {
        "ada@example.com": Role.APPROVER,
        "bob@example.com": Role.MEMBER,
        "ada=b@example.com": Role.ADMIN,
    }


def test_the_values_of_another_claim_are_taken_as_they_stand(tmp_path: Path) -> None:
    review = of(tmp_path, REVIEW_ROLE_CLAIM="groups", REVIEW_ROLES="Sales Leads=approver").hosted.review
    assert review is not None and review.roles == {"Sales Leads": Role.APPROVER}


def test_people_sign_in_where_users_do_unless_another_issuer_is_named(tmp_path: Path) -> None:
    review = of(tmp_path, REVIEW_ISSUER="", OAUTH_ISSUER="https://sso.example.com").hosted.review
    assert review is not None and review.issuer == "https://sso.example.com"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"REVIEW_ISSUER": ""}, "needs SEQUENCES_REVIEW_ISSUER or SEQUENCES_OAUTH_ISSUER"),
        ({"REVIEW_CLIENT_ID": ""}, "needs SEQUENCES_REVIEW_CLIENT_ID"),
        ({"REVIEW_ROLES": ""}, "nobody could do anything there"),
        ({"REVIEW_ROLES": "a@example.com=member, a@example.com=admin"}, "has two roles"),
        ({"REVIEW_URL": "https://review.example.com/page"}, "without a path"),
        ({"REVIEW_URL": "https://ada@review.example.com"}, "without a path"),
    ],
)
def test_what_is_missing_or_does_not_fit_is_said(tmp_path: Path, changed: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        of(tmp_path, **changed)
    assert said in str(caught.value)


def test_the_clients_secret_is_referred_to_and_never_told(tmp_path: Path) -> None:
    file = tmp_path / "client.secret"
    file.touch(mode=0o600)
    file.write_text(SECRET, encoding="utf-8")
    lines = [
        'review_url = "https://review.example.com"',
        'review_issuer = "https://login.example.com"',
        'review_client_id = "review"',
        'review_client_secret = { file = "client.secret" }',
        'review_role_claim = "groups"',
        'review_roles = ["leads=approver", "staff=member"]',
    ]
    (tmp_path / "settings.toml").write_text("\n".join(lines), encoding="utf-8")
    environ = {"SEQUENCES_DATA_DIR": str(tmp_path)}
    settings = read_settings(environ)
    review = settings.hosted.review
    assert review is not None and review.client_secret is not None
    assert review.client_secret.value == SECRET and SECRET not in repr(settings)
    file.unlink()
    with pytest.raises(SettingsError, match="cannot be read"):
        read_settings(environ)


def test_two_approvers_are_refused_where_nobody_signs_in_or_at_two_issuers(tmp_path: Path) -> None:
    assert of(tmp_path, APPROVERS="2").hosted.approvers == 2
    assert of(tmp_path, APPROVERS="2", OAUTH_ISSUER=WHOLE["SEQUENCES_REVIEW_ISSUER"]).hosted.approvers == 2
    with pytest.raises(SettingsError, match="needs one issuer"):
        of(tmp_path, APPROVERS="2", OAUTH_ISSUER="https://sso.example.com")
    alone = {"SEQUENCES_APPROVERS": "2", "SEQUENCES_DATA_DIR": str(tmp_path)}
    with pytest.raises(SettingsError, match="nobody can tell two of them apart"):
        read_settings(alone)
