"""``doctor`` of a server on the network: whether people can sign in to the page, and each tenant's page."""

from __future__ import annotations

from pathlib import Path

from tests.world.signing_in import SECRET, providing
from tests.world.tenant_pages import NAMES, PagesWorld, two_tenants
from tests.world.tenants import ACME, HOPPER

from sequences_mcp.doctor import DoctorLine, examine

TENANT = {"SEQUENCES_WORKER": "off"}


def told(environ: dict[str, str]) -> list[DoctorLine]:
    """Return the lines of the group about the network, but those about certificates."""
    among = (line for line in examine(environ)[0] if line.group == "On the network")
    return [line for line in among if not line.words.startswith("certificate")]


def of_server(world: PagesWorld) -> dict[str, str]:
    """Return the settings of the server of these tenants."""
    return {"SEQUENCES_DATA_DIR": str(world.root / "server"), "SEQUENCES_TENANTS": str(world.folder)}


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
        approving = [line.words for line in examine(environ)[0] if line.words.startswith("approval:")]
        assert "by whoever signs in there" in approving[0]


def test_it_names_each_tenants_page_and_the_names_that_two_of_them_write(tmp_path: Path) -> None:
    world = two_tenants(tmp_path, "https://login.example.com")
    world.tenant("without")
    assert all(line.ok is None for line in told(of_server(world)))
    file = world.folder / HOPPER / "settings.toml"
    file.write_text(file.read_text().replace(NAMES[HOPPER], NAMES[ACME]))
    (world.folder / "without" / "settings.toml").write_text("spacing = 'soon'\n")
    wrong = [line.words for line in told(of_server(world)) if line.ok is False]
    assert len(wrong) == 2 and wrong[0].startswith("tenant without: ")
    assert wrong[1].startswith(f"names: {ACME} and {HOPPER} both write https://{NAMES[ACME]}")
