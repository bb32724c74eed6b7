"""The description of Clarky: names, settings, abilities and texts, from its public API's pages."""

from __future__ import annotations

from sequences_mcp.vendors.description import VendorDescription, VendorSetting

DESCRIPTION = VendorDescription(
    name="clarky",
    title="Clarky",
    base_url="https://clarky.ai/api/v1",
    further_settings=(
        VendorSetting(
            key="bot_id",
            meaning="Clarky's agent who sends where a template names none.",
            expected="the id of an agent, such as b_01H…",
            in_terms="as {} where a template names nobody",
        ),
    ),
    course="its texts wait for approval in Clarky's review queue",
    course_if={"vendor.unreviewed": "it writes, sends and calls within about a minute"},
    status_words={
        "PENDING_APPROVAL": "Its texts wait in Clarky's review queue; nothing leaves until a person approves.",
        "GENERATING": "Clarky writes its texts; then they wait in its review queue, where a review is set.",
        "REPLIED": "Over: the person replied, as Clarky tells.",
    },
    replied_word="REPLIED",
    replies_unseen=(
        "Clarky tells only that somebody replied, of runs started here: not the words, and nothing of bounces and "
        "absences. Its app shows the conversation."
    ),
    writes_later=(
        "Clarky writes the texts for each person after the start; they wait for approval in its review queue."
    ),
    writes_unreviewed=(
        "Clarky writes, sends and calls within about a minute of the start; nobody reads its texts first."
    ),
    no_sender=(
        "CLARKY_BOT_ID is not set: unless the template names an agent of its own, Clarky refuses this start."
    ),
)
