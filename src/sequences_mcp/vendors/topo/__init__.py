"""The description of Topo: names, settings, abilities and texts, from its public API's pages."""

from __future__ import annotations

from sequences_mcp.vendors.description import VendorDescription

DESCRIPTION = VendorDescription(
    name="topo",
    title="Topo",
    base_url="https://api.topo.io/v1",
    # Templates are made in its app; its API neither makes nor changes one.
    has_versions=False,
    # Runs are paused, resumed and ended over its API, whoever started them.
    ends_runs=True,
    # Activities of the type message.replied; their words are in the tasks that wait for an answer.
    replies_unseen=(
        "Topo tells who replied and when. The words are in list_tasks with provider topo, while the task is open; "
        "bounces, absences and when its mailboxes were read it does not tell."
    ),
    course="it enrols them; whether its template waits for approval in Topo's app, its API does not tell",
)
