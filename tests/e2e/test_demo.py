"""The first command a newcomer runs."""

from __future__ import annotations

import logging
from xml.etree import ElementTree

import pytest
from scripts.pictures import PARTS, chosen, drawn

from sequences_mcp.demo import demo


async def test_the_demo_tells_its_story_to_the_end(caplog: pytest.LogCaptureFixture) -> None:
    lines: list[str] = []
    await demo(lines.append)
    told = "\n".join(lines)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []
    picture = list(chosen(told.split("\n")))
    assert {beginning for beginning, _ in PARTS if any(line.startswith(beginning) for line in picture)} == {
        beginning for beginning, _ in PARTS
    }
    ElementTree.fromstring(drawn(picture))
    assert "The mail server received 7 e-mails, each once:" in told
    assert "stopped: Jonas Weber, Aiko Tanaka" in told
    assert "Maria Silva, reply: “Thursday at ten suits me.” (the run succeeded)" in told
    assert "Maria: SUCCEEDED; she got 1 e-mail, and the follow-up does not leave." in told
    first, second = told.split("── The same tools")
    assert "{{" not in first.partition("The mail server received")[2]
    assert "placeholders.square: Kalent was not even asked." in second
    assert "← unknown: Do not start them again" in second
    assert "← done: It has happened; nothing has to be called again." in second
    asked = second.partition("What the vendors were asked to do, each once:")[2].split()
    assert [asked.count(f"candidate_{name}") for name in ("ines", "priya")] == [1, 1]
    assert asked.count("clarky") == asked.count("/sequences/start") == 1
