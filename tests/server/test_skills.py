"""The skills that a host lists are what it then reads, byte for byte, and what the plugin brings."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import pytest
from mcp import MCPError
from mcp.types import Request, RequestParams, Result
from pydantic import ConfigDict
from tests.world.product import Desktop, World

from sequences_mcp.prompting import PLAYBOOKS, playbook
from sequences_mcp.server.skills import EXTENSION, SKILLS, files_of

PLUGIN = Path(__file__).resolve().parents[2] / "bundles" / "claude-code" / "skills"


class Asked(RequestParams):
    model_config = ConfigDict(extra="allow")


class SkillRequest(Request[Asked, Literal["skills/list", "skills/get"]]):
    method: Literal["skills/list", "skills/get"]
    params: Asked


class Answer(Result):
    model_config = ConfigDict(extra="allow")


async def ask(desktop: Desktop, method: Literal["skills/list", "skills/get"], **given: Any) -> dict[str, Any]:
    request = SkillRequest(method=method, params=Asked(**given))
    answer = await desktop.client.session.send_request(request, Answer)
    return answer.model_dump(by_alias=True)


async def text_at(desktop: Desktop, uri: str) -> str:
    [content] = (await desktop.client.read_resource(uri)).contents
    assert content.mime_type == "text/markdown"
    return str(content.text)


async def test_every_file_of_every_listed_skill_is_read_as_its_digest_says(world: World, era: str) -> None:
    async with world.client(era) as desktop:
        listed = (await ask(desktop, "skills/list"))["skills"]
        assert [skill["frontmatter"]["name"] for skill in listed] == [skill.name for skill in SKILLS]
        for skill in listed:
            assert (await ask(desktop, "skills/get", uri=skill["uri"]))["skill"] == skill
            for file in skill["resources"]:
                content = (await text_at(desktop, file["uri"])).encode()
                assert (file["digest"], file["size"]) == (
                    f"sha256:{sha256(content).hexdigest()}",
                    len(content),
                )
            head, _, _ = (await text_at(desktop, skill["uri"])).removeprefix("---\n").partition("\n---\n")
            stated = dict(line.split(": ", 1) for line in head.splitlines())
            described = json.loads(stated["description"])
            assert skill["frontmatter"] == {"name": stated["name"], "description": described}


async def test_the_server_declares_the_extension_and_lists_its_files(world: World, era: str) -> None:
    async with world.client(era) as desktop:
        if era == "auto":  # the older protocol has no place for extensions
            assert (desktop.client.server_capabilities.extensions or {})[EXTENSION] == {}
        listed = {str(one.uri): one for one in (await desktop.client.list_resources()).resources}
    for skill in SKILLS:
        assert listed[skill.uri].name == skill.name
        assert listed[skill.uri].description == skill.description


@pytest.mark.parametrize(
    "uri", ["skill://draft-step", "skill://draft-sequence/playbooks/events.md", "skill://x", ""]
)
async def test_what_is_no_skill_is_refused_with_the_skills_that_there_are(
    world: World, era: str, uri: str
) -> None:
    async with world.client(era) as desktop:
        with pytest.raises(MCPError, match=r"skill://draft-sequence/SKILL\.md") as refused:
            await ask(desktop, "skills/get", uri=uri)
    assert refused.value.error.code == -32602


async def test_a_cursor_that_nobody_gave_is_refused(world: World, era: str) -> None:
    async with world.client(era) as desktop:
        with pytest.raises(MCPError, match="one page"):
            await ask(desktop, "skills/list", cursor="2")


def test_the_plugin_brings_the_same_files() -> None:
    served = {f"{skill.name}/{path}": text for skill in SKILLS for path, text in files_of(skill).items()}
    brought = {str(path.relative_to(PLUGIN)): path.read_text("utf-8") for path in PLUGIN.rglob("*.md")}
    assert brought == served


@pytest.mark.parametrize("name", PLAYBOOKS)
def test_a_playbook_has_its_examples_in_every_language_and_the_skill_leads_to_it(name: str) -> None:
    [drafting] = [skill for skill in SKILLS if skill.playbooks]
    files = files_of(drafting)
    [path] = [path for path in files if path.endswith(f"/{name.replace(' ', '-')}.md")]
    book = playbook(name)
    assert f"({path})" in files["SKILL.md"]
    for language, example in book.examples.items():
        assert f"## {language}\n" in files[path]
        assert example.content in files[path] and book.follow_ups[language].content in files[path]
