"""Write the pictures of docs/pictures from real runs: the demo in a terminal, and a review in the browser.

    python -m scripts.pictures [demo] [review]

demo.svg is what the demo prints: long lines are cut at the width of the picture, the middle of the story is left
out, and ids, ports and hours are those of that run. review.png is the review page with a plan of made-up people,
as Chromium shows it.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Iterator
from html import escape
from pathlib import Path

from sequences_mcp.demo import demo

PICTURE = Path(__file__).resolve().parents[1] / "docs" / "pictures" / "demo.svg"
COLUMNS = 104
LETTER, LINE, MARGIN = 8.4, 19, 24  # pixels, at a size of 14
# Each part of the story from the line that begins so, for so many lines.
PARTS = (
    ("You: Draft", 9),
    ("You: Show", 7),
    ("You: Good", 16),
    ("└─ You tick", 1),
    ("    5 e-mails have left", 1),
    ("You: Pause", 4),
    ("You: We won", 5),
    ("Maria answers", 1),
    ("You: Did anybody", 4),
)
COLOURS = {"You:": "#8bd5ca", "Claude:": "#c6a0f6", "Maria": "#f5a97f", "  →": "#8aadf4", "  ←": "#a6da95"}


def chosen(lines: list[str]) -> Iterator[str]:
    """Yield the lines of the picture; ValueError for a part that the story no longer has."""
    for number, (beginning, count) in enumerate(PARTS):
        at = next((at for at, line in enumerate(lines) if line.startswith(beginning)), None)
        if at is None:
            raise ValueError(f"The demo has no line that begins with {beginning!r}.")
        if number and beginning.startswith(("You:", "Maria")):
            yield ""
        yield from (line for line in lines[at : at + count] if line.strip() or count > 9)
        if count == 16:
            yield "│ …"


def drawn(lines: list[str]) -> str:
    """Return the lines as an SVG that needs no font or script from elsewhere."""
    width, height = round(2 * MARGIN + COLUMNS * LETTER), 2 * MARGIN + len(lines) * LINE
    rows = []
    for number, line in enumerate(lines):
        text = line if len(line) <= COLUMNS else f"{line[: COLUMNS - 1]}…"
        colour = next((colour for start, colour in COLOURS.items() if line.startswith(start)), "#cad3f5")
        y = MARGIN + (number + 1) * LINE - 5
        rows.append(f'<text x="{MARGIN}" y="{y}" fill="{colour}" xml:space="preserve">{escape(text)}</text>')
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
            'aria-label="The demo in a terminal: drafting, previewing, approving, pausing, stopping, an answer">',
            f'<rect width="{width}" height="{height}" rx="10" fill="#24273a"/>',
            '<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="14">',
            *rows,
            "</g>",
            "</svg>",
            "",
        ]
    )


REVIEW = PICTURE.with_name("review.png")
SEEN = {"width": 1180, "height": 1020}
PEOPLE = (
    ("Maria", "Silva", "Head of Data", "Porto Analytics"),
    ("Jonas", "Weber", "Staff Engineer", "Elbe Robotics"),
    ("Aiko", "Tanaka", "Platform Lead", "Kumo Systems"),
    ("Claire", "Dubois", "Data Engineer", "Atelier Signal"),
    ("Liam", "Byrne", "Engineering Manager", "Liffey Labs"),
    ("Sofia", "Rossi", "Machine Learning Engineer", "Arno Vision"),
    ("Piotr", "Nowak", "Backend Engineer", "Wisla Pay"),
)
LAST = "Would you have twenty minutes next week to hear about the role?"
FIRST = (
    "Hi {{firstname}},\n\nwe are building the data platform at Analytical Engines, a team of six in Lisbon, and "
    f"{{{{candidateCompanyName}}}} is solving much of what we are about to. {LAST}"
)
OWN = (
    "Hi {{firstname}},\n\nyour talk on late events in Porto is the reason I write: we have the same problem at "
    f"Analytical Engines, and nobody yet who has solved it. {LAST}"
)
AGAIN = "Hi {{firstname}}, one more line in case my first message was lost: is the role worth a short call to you?"


def photographed() -> bytes:
    """Return the review page as a PNG: a plan with a text of one person's own, opened at that person."""
    from tests.review_page.page_browser import chromium, screen
    from tests.world.page import LINKEDIN, MAIL, PageWorld, apart, unheard

    from sequences_mcp.services.blueprints import create_blueprint
    from sequences_mcp.services.reviews import edit_draft
    from sequences_mcp.services.starts import start_sequence

    later = {"temporalityType": "DELAYED", "delay": {"value": 3, "unit": "day"}}
    steps = [
        {**MAIL, "subject": "Data platform in Lisbon", "content": FIRST},
        {**LINKEDIN, **later, "content": AGAIN},
    ]
    with tempfile.TemporaryDirectory() as folder:
        world = PageWorld(Path(folder) / "data")
        world.lock_up()

        async def planned() -> str:
            async with world.app() as app:
                made = await create_blueprint(app, name="Data engineers", steps=steps, job_title="Data Engineer")
                report = await start_sequence(
                    app, blueprint_id=made.blueprint.id, contacts=list(contacts()), progress=unheard
                )
                first = (await app.plans.list_people(report.plan.id, page=1, size=1)).items[0].sequence
                await edit_draft(app, draft_id=f"local:draft_{first.steps[0].key}", content=OWN)
                return str(report.plan.id)

        plan_id = apart(planned)
        with chromium() as browser, screen(browser, world, Path(folder), viewport=SEEN) as person:
            person.opens(f"/plans/{plan_id}")
            person.unlocks()
            person.tab.locator(".keys").wait_for()
            return bytes(person.tab.screenshot())


def contacts() -> Iterator[dict[str, str]]:
    """Yield the people of the picture, at domains that nobody has."""
    for first, last, title, company in PEOPLE:
        domain = f"{company.lower().replace(' ', '-')}.example"
        yield {
            "first_name": first,
            "last_name": last,
            "job_title": title,
            "company": company,
            "email": f"{first}.{last}@{domain}".lower(),
            "linkedin_url": f"https://www.linkedin.com/in/{first}-{last}".lower(),
        }


def main() -> None:
    """Draw what is named, or everything."""
    wanted = sys.argv[1:] or ["demo", "review"]
    PICTURE.parent.mkdir(exist_ok=True)
    if "demo" in wanted:
        printed: list[str] = []
        asyncio.run(demo(lambda text: printed.extend(str(text).split("\n"))))
        PICTURE.write_text(drawn(list(chosen(printed))), encoding="utf-8")
    if "review" in wanted:
        REVIEW.write_bytes(photographed())


if __name__ == "__main__":
    main()
