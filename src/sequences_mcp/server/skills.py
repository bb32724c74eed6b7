"""Skills over MCP: how to draft and review outreach, as Agent Skills that a host lists, verifies and reads.

Extension ``io.modelcontextprotocol/skills``, stable specification of SEP-2640:
https://github.com/modelcontextprotocol/ext-skills/blob/main/specification/stable/skills.mdx. The texts come
from the templates and playbooks of prompts/, depend on the version alone, and are the plugin's of Claude Code too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache, partial
from hashlib import sha256
from typing import Any

from mcp import MCPError
from mcp.server.context import ServerRequestContext
from mcp.server.extension import Extension, MethodBinding, ResourceBinding
from mcp.server.mcpserver.resources import FunctionResource
from mcp.types import INVALID_PARAMS, PaginatedRequestParams, RequestParams

from sequences_mcp.lazy_dataclasses import dataclass, field
from sequences_mcp.prompting import PLAYBOOKS

EXTENSION = "io.modelcontextprotocol/skills"
MAIN_FILE = "SKILL.md"
MARKDOWN = "text/markdown"
CACHED = {"ttlMs": 3_600_000, "cacheScope": "public"}  # the same for everybody until another version is installed


@dataclass(frozen=True, slots=True, eq=False)  # one object each, so that its files are remembered by it
class Skill:
    """One skill: its name and description, and the template that its text is made from with these facts."""

    name: str
    description: str
    template: str
    given: Mapping[str, object] = field(default_factory=dict)
    playbooks: bool = False  # whether each playbook is a file of this skill

    @property
    def uri(self) -> str:
        """The address of its SKILL.md."""
        return f"skill://{self.name}/{MAIN_FILE}"

    @property
    def file_names(self) -> tuple[str, ...]:
        """The files of the skill by their paths in its folder, SKILL.md first."""
        return (MAIN_FILE, *(playbook_file(name) for name in PLAYBOOKS if self.playbooks))


# What somebody is asked for where a prompt of the server would have been given an argument.
_ASKED = {"tone": "plain and friendly", "language": "English"}
SKILLS = (
    Skill(
        "draft-sequence",
        "Drafts an outreach sequence that the guards accept, with the tools of sequences-mcp. Use it when "
        "somebody wants to write to candidates, customers or partners in several steps.",
        template="draft_sequence",
        given={
            **_ASKED,
            "goal": "what I ask for; ask me where I did not say",
            "audience": "",
            "channels": "e-mail",
            "steps": "3",
            "playbook": "",
        },
        playbooks=True,
    ),
    Skill(
        "draft-step",
        "Drafts one text of an outreach sequence (an e-mail, a LinkedIn message, a call) within its limits, with "
        "the tools of sequences-mcp.",
        template="draft_step",
        given={**_ASKED, "channel": "EMAIL", "purpose": "what I ask for"},
    ),
    Skill(
        "weekly-review",
        "Goes through the past week of outreach with the tools of sequences-mcp: who answered, what waits for a "
        "person, what failed. Use it when somebody asks how the outreach is going.",
        template="weekly_review",
        given={
            "now": "today",
            "week_ago": "seven days ago",
            "waiting_plans": "the",
            "waiting_drafts": "the",
            "waiting_changes": "the",
            "open_tasks": "the",
            "broken": (),
        },
    ),
)
_BY_URI = {skill.uri: skill for skill in SKILLS}


def playbook_file(name: str) -> str:
    """Return the path of a playbook in the folder of its skill."""
    return f"playbooks/{name.replace(' ', '-')}.md"


@cache
def files_of(skill: Skill) -> dict[str, str]:
    """Return the texts of a skill's files by their paths in its folder."""
    from sequences_mcp.prompting import playbook, render_template
    from sequences_mcp.server.prompt_facts import skill_facts

    head = f"---\nname: {skill.name}\ndescription: {json.dumps(skill.description)}\n---\n\n"
    listed = {name: playbook_file(name) for name in PLAYBOOKS} if skill.playbooks else {}
    facts = {**skill_facts(skill.template, skill.given), "playbook_files": listed}
    files = {MAIN_FILE: head + render_template(skill.template, **facts)}
    for name, path in listed.items():
        files[path] = render_template("playbook", book=playbook(name))
    return files


def entry_of(skill: Skill) -> dict[str, Any]:
    """Return a skill as both methods give it: its address, its head, and every file with its digest."""
    folder = skill.uri.removesuffix(MAIN_FILE)
    contents = {folder + path: text.encode() for path, text in files_of(skill).items()}
    return {
        "uri": skill.uri,
        "frontmatter": {"name": skill.name, "description": skill.description},
        "resources": [
            {"uri": uri, "digest": f"sha256:{sha256(content).hexdigest()}", "size": len(content)}
            for uri, content in contents.items()
        ],
    }


class SkillRequestParams(RequestParams):
    """Parameters of ``skills/get``."""

    uri: str


class Skills(Extension):
    """The extension: two methods, and every file of the skills as a resource."""

    identifier = EXTENSION

    def methods(self) -> Sequence[MethodBinding]:
        """Return ``skills/list``, in one page, and ``skills/get``."""
        return (
            MethodBinding("skills/list", PaginatedRequestParams, _list_skills),
            MethodBinding("skills/get", SkillRequestParams, _get_skill),
        )

    def resources(self) -> Sequence[ResourceBinding]:
        """Return the files of the skills; their texts are made when one is read."""
        return [ResourceBinding(_resource(skill, path)) for skill in SKILLS for path in skill.file_names]


def _resource(skill: Skill, path: str) -> FunctionResource:
    is_main = path == MAIN_FILE
    return FunctionResource(
        uri=skill.uri.removesuffix(MAIN_FILE) + path,
        name=skill.name if is_main else path,
        description=skill.description if is_main else f"A file of the skill {skill.name}.",
        mime_type=MARKDOWN,
        fn=partial(_text_of, skill, path),
    )


def _text_of(skill: Skill, path: str) -> str:
    return files_of(skill)[path]


async def _list_skills(_: ServerRequestContext[Any, Any], params: PaginatedRequestParams) -> dict[str, Any]:
    if params.cursor is not None:
        raise MCPError(code=INVALID_PARAMS, message="There is one page of skills: leave the cursor out.")
    return {"resultType": "complete", "skills": [entry_of(skill) for skill in SKILLS], **CACHED}


async def _get_skill(_: ServerRequestContext[Any, Any], params: SkillRequestParams) -> dict[str, Any]:
    skill = _BY_URI.get(params.uri)
    if skill is None:
        raise MCPError(
            code=INVALID_PARAMS,
            message=f"There is no skill of this address; the skills are {', '.join(_BY_URI)}.",
            data={"uri": params.uri},
        )
    return {"resultType": "complete", "skill": entry_of(skill), **CACHED}
