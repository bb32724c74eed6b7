"""``doctor`` of a server on the network: whether people can sign in to the page, and each tenant's page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from tests.world.data_folder import choose_passphrase
from tests.world.signing_in import SECRET, providing
from tests.world.tenant_pages import NAMES, PagesWorld, two_tenants
from tests.world.tenants import ACME, HOPPER

from sequences_mcp.doctor import DoctorLine, examine
from sequences_mcp.domain.workspace import Workspace
from sequences_mcp.last_start import note_serve

TENANT = {"SEQUENCES_WORKER": "off"}


def told(environ: dict[str, str]) -> list[DoctorLine]:
    """Return the lines of the group about the network, but those about certificates."""
    among = (line for line in examine(environ)[0] if line.group == "On the network")
    return [line for line in among if not line.words.startswith("certificate")]


def of_server(world: PagesWorld) -> dict[str, str]:
    """Return the settings of the server of these tenants."""
    return {"SEQUENCES_DATA_DIR": str(world.root / "server"), "SEQUENCES_TENANTS": str(world.folder)}


def of_approval(environ: dict[str, str]) -> list[str]:
    """Return what the lines about approvals say."""
    return [line.words for line in examine(environ)[0] if line.words.startswith("approval:")]


def test_it_says_where_people_sign_in_to_a_page_and_whether_that_answers(tmp_path: Path) -> None:
    with providing() as provider:
        world = two_tenants(tmp_path, provider.url)
        environ = {"SEQUENCES_DATA_DIR": str(world.folder / ACME), **TENANT}
        lines = [line for line in told(environ) if line.words.startswith("page ")]
        assert [line.ok for line in lines] == [None, None, True]
        assert "can-approve (approver)" in lines[0].words and SECRET not in str(lines)
        assert f"https://{NAMES[ACME]}:{world.port}/sign-in/back" in lines[1].words
        provider.metadata = {"issuer": "https://another.example"}
        [issuer] = (line for line in told(environ) if line.words.startswith("page issuer"))
        assert issuer.ok is False
        [approving] = of_approval(environ)
        assert "by whoever signs in there" in approving


def test_it_names_each_tenants_page_and_the_names_that_two_of_them_write(tmp_path: Path) -> None:
    world = two_tenants(tmp_path, "https://login.example.com")
    world.tenant("without")
    assert all(line.ok is None for line in told(of_server(world)))
    lines, is_healthy = examine(of_server(world))
    assert is_healthy and {line.group for line in lines} == {"Settings", "On the network"}
    certificates = [line.words for line in lines if line.words.startswith("certificate: ")]
    assert all(any(name in words for words in certificates) for name in NAMES.values())
    file = world.folder / HOPPER / "settings.toml"
    file.write_text(file.read_text().replace(NAMES[HOPPER], NAMES[ACME]))
    (world.folder / "without" / "settings.toml").write_text("spacing = 'soon'\n")
    wrong = [line.words for line in told(of_server(world)) if line.ok is False]
    assert len(wrong) == 2 and wrong[0].startswith("tenant without: ")
    assert wrong[1].startswith(f"names: {ACME} and {HOPPER} both write https://{NAMES[ACME]}")


BOTH = "in the terminal, by passphrase, and on the review page"
REVIEW = {
    "SEQUENCES_OAUTH_ISSUER": "http://localhost:1",
    "SEQUENCES_REVIEW_URL": "https://review.localhost:1",
    "SEQUENCES_REVIEW_CLIENT_ID": "page",
    "SEQUENCES_REVIEW_ROLES": "ada@example.com=approver",
}


@pytest.mark.parametrize(
    ("served", "said"),
    [
        ({}, [f"{BOTH};", "in a panel", "chat's own dialog"]),
        ({"SEQUENCES_OAUTH_ISSUER": "http://localhost:1"}, [f"{BOTH};"]),
        (REVIEW, [f"{BOTH}, by an approver who signs in there and types the passphrase;"]),
        ({**REVIEW, "SEQUENCES_APPROVERS": "2"}, ["approval: on the review page, by an approver"]),
    ],
    ids=["started by a client", "over HTTP", "with a page", "by two people"],
)
def test_it_says_who_approves_as_the_server_is_run(
    tmp_path: Path, served: dict[str, str], said: list[str]
) -> None:
    environ = {"SEQUENCES_DATA_DIR": str(tmp_path), **TENANT, **served}
    choose_passphrase(Workspace(tmp_path), "a passphrase of a test")
    lines = of_approval(environ)
    assert len(lines) == len(said) and all(words in line for words, line in zip(said, lines, strict=True)), lines


@pytest.mark.parametrize(
    ("noted", "ok", "words"),
    [
        ("cert.pem", True, "for 90 days"),
        ("key.pem", False, "cannot be read"),
        ("none.pem", False, "cannot be read"),
    ],
)
def test_it_reads_the_certificate_that_serve_was_given(tmp_path: Path, noted: str, ok: bool, words: str) -> None:
    issued = trustme.CA().issue_cert("localhost", not_after=datetime.now(UTC) + timedelta(days=90, hours=1))
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    noted_in, address = Workspace(tmp_path).last_serve, "https://mcp.localhost:1"
    note_serve(noted_in, certificate=tmp_path / noted, public_url=address)
    of_file, at_address = (
        line
        for line in examine({"SEQUENCES_DATA_DIR": str(tmp_path)})[0]
        if line.words.startswith("certificate: ")
    )
    assert of_file.ok is ok and words in of_file.words and noted in of_file.words
    assert at_address.ok is None and "mcp.localhost" in at_address.words
