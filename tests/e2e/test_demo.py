"""The first command a newcomer runs."""

from __future__ import annotations

from sequences_mcp.demo import demo


async def test_the_demo_tells_its_story_to_the_end() -> None:
    lines: list[str] = []
    await demo(lines.append)
    told = "\n".join(lines)
    assert "The mail server received 8 e-mails, each once:" in told
    assert "stopped: Jonas Weber, Aiko Tanaka" in told
    assert "Maria: ACTIVE; next: LINKEDIN step" in told
    assert "{{" not in told.partition("The mail server received")[2]
