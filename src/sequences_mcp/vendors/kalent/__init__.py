"""The description of Kalent: names, settings, abilities and texts, from its public API's pages."""

from __future__ import annotations

from sequences_mcp.vendors.description import VendorDescription

DESCRIPTION = VendorDescription(
    name="kalent",
    title="Kalent",
    base_url="https://app.kalent.ai/api",
    has_versions=True,
    has_configuration=True,
    names_runs_by_blueprint=True,
    tools=("list_sourcings",),
    # Filled in from its own sourcing and user, which its API does not tell.
    fills_in=frozenset({"sourcingJobTitle", "sourcingLocation", "recruiterFirstname", "recruiterLastname"}),
    knows_of_people=frozenset({"job_title", "company"}),
    # What has to be connected and synced before a start (page "Start dynamic sequences").
    needs_connected={
        "EMAIL": "a mailbox",
        "LINKEDIN": "a LinkedIn account",
        "WHATSAPP": "a WhatsApp account",
    },
    course="it sends when a step is due",
    course_if={
        "vendor.written_there": (
            "it sends when a step is due; a text that Kalent writes may wait for approval in its app"
        )
    },
    status_words={
        "TALENT_REPLIED": "Over: the person replied, as Kalent tells.",
        "WAITING_FOR_ACCEPTANCE": "It waits until the LinkedIn invitation is accepted.",
        "SCHEDULED": "Its next step is scheduled; Kalent does not tell when.",
    },
    replied_word="TALENT_REPLIED",
    replies_unseen=(
        "Kalent tells only that somebody replied, of runs started here: not when, not the words, and nothing of "
        "bounces and absences. Its app shows the conversation."
    ),
    # Its API lists no runs of a blueprint.
    unseen_runs=(
        "Kalent's API does not tell whether people started in its own app are under way in this blueprint."
    ),
)
