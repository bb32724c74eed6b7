"""What a provider offers is what its class overrides; everything else answers not_supported in the same words."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest

from sequences_mcp.engine.provider import LocalProvider
from sequences_mcp.errors import NotSupportedError
from sequences_mcp.ports.provider import Provider
from sequences_mcp.vendors.registry import DESCRIPTIONS
from sequences_mcp.vendors.vendor import Vendor

VENDORS: dict[str, type[Provider]] = {
    name: import_module(f"sequences_mcp.vendors.{name}.provider").PROVIDER for name in DESCRIPTIONS
}
PROVIDERS: dict[str, type[Provider]] = {"local": LocalProvider, **VENDORS}
DECLARED: dict[str, Callable[..., Any]] = {
    name: method for name, method in vars(Provider).items() if hasattr(method, "unsupported")
}
# What a caller uses together: a provider has all of it or nothing.
TOGETHER = {
    "sourcings": ("list_sourcings", "find_candidates", "create_in_sourcing"),
    "contact lists": ("contact_misfit", "placed_already", "place_contacts", "count_placed"),
    "exclusions": ("is_excluded", "exclude"),
    "starts": (
        *("blueprint_to_start", "person_to_enrol", "preflight", "enrol", "read_enrolment_back"),
        "follow_run",
    ),
    "the pace of runs": ("pause_sequence", "resume_sequence", "stop_sequence"),
    "variables": ("update_variables", "require_used"),
    "whose runs are live": ("can_look_for", "live_runs_of"),
    "drafts": ("list_drafts", "get_draft", "rewrite_texts", "approve_draft", "resolve_unknown"),
    "tasks": ("list_tasks", "complete_task"),
    "saving people": ("match_contacts", "save_contacts", "get_contacts"),
    "blueprints": ("list_blueprints", "get_blueprint"),
}
# The words for people, as they were when each capability was a slot.
SAID = {
    ("kalent", "list_tasks"): "Kalent has no way to list tasks over its API.",
    ("kalent", "complete_task"): "Kalent has no way to complete tasks over its API.",
    ("kalent", "pause_sequence"): "Kalent has no way to pause a sequence over its API.",
    ("kalent", "update_variables"): "Kalent has no way to change variables over its API.",
    ("clarky", "create_blueprint"): "Clarky has no way to create a template over its API.",
    ("clarky", "update_blueprint"): "Clarky has no way to change a template over its API.",
    ("clarky", "stop_sequence"): "Clarky has no way to stop a sequence over its API.",
    ("clarky", "list_tasks"): "Clarky has no way to list tasks over its API.",
    ("topo", "create_blueprint"): "Topo has no way to create a sequence template over its API.",
    ("topo", "update_blueprint"): "Topo has no way to change a sequence template over its API.",
    ("topo", "approve_draft"): "Topo has no way to approve drafts over its API.",
    ("topo", "rewrite_texts"): "Topo has no way to edit drafts over its API.",
    ("topo", "get_draft"): "Topo has no way to read drafts over its API.",
    ("local", "enrol"): "local has no way to start sequences over its API.",
}


def refusal_of(provider: type[Provider], name: str) -> NotSupportedError:
    """Call a method that the provider does not have, and return its error."""
    with pytest.raises(NotSupportedError) as raised:
        answer = getattr(object.__new__(provider), name)()
        answer.send(None)
    return raised.value


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)
def test_what_is_not_offered_answers_that_it_is_not_supported_and_where_it_can_be_done(
    provider: type[Provider],
) -> None:
    missing = [name for name, method in DECLARED.items() if not provider.offers(method)]
    assert missing
    for name in missing:
        error = refusal_of(provider, name)
        assert error.message.startswith(f"{provider.title} has no way to "), name
        assert error.next_step.endswith(
            (f"in {provider.title}'s own app.", f"in {provider.title}'s own app, now.")
        )
        with pytest.raises(NotSupportedError, match="has no way to"):
            object.__new__(provider).require(DECLARED[name])


@pytest.mark.parametrize(("provider", "name"), SAID, ids=map("-".join, SAID))
def test_the_words_for_what_is_not_supported_stay(provider: str, name: str) -> None:
    assert refusal_of(PROVIDERS[provider], name).message == SAID[provider, name]


@pytest.mark.parametrize("names", TOGETHER.values(), ids=TOGETHER)
def test_a_provider_has_all_of_what_is_used_together_or_nothing(names: tuple[str, ...]) -> None:
    for provider in PROVIDERS.values():
        assert len({provider.offers(DECLARED[name]) for name in names}) == 1, (provider, names)


@pytest.mark.parametrize("name", VENDORS)
def test_a_vendors_description_says_what_its_adapter_can_do(name: str) -> None:
    description, vendor = DESCRIPTIONS[name], VENDORS[name]
    assert issubclass(vendor, Vendor)
    assert (vendor.name, vendor.title) == (description.name, description.title)
    assert description.ends_runs == vendor.offers(Provider.stop_sequence)
    assert description.has_versions == vendor.offers(Provider.update_blueprint)
    assert description.has_configuration == vendor.offers(Provider.configure_blueprint)
    assert ("list_sourcings" in description.tools) == vendor.offers(Provider.list_sourcings)


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)
def test_a_providers_own_words_are_for_what_it_lacks(provider: type[Provider]) -> None:
    assert not [name for name in provider.lacks if provider.offers(DECLARED[name])]


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)
def test_no_part_of_a_provider_hides_a_method_of_another_part(provider: type[Provider]) -> None:
    parts = [part for part in provider.__mro__ if part not in (Provider, Vendor, object)]
    names = [name for part in parts for name, value in vars(part).items() if callable(value) and "__" not in name]
    assert sorted(names) == sorted(set(names))


def test_the_embedded_engine_has_every_method_that_is_not_a_vendors() -> None:
    missing = {name for name, method in DECLARED.items() if not LocalProvider.offers(method)}
    assert missing == {
        *TOGETHER["sourcings"],
        *TOGETHER["contact lists"],
        *TOGETHER["exclusions"],
        *TOGETHER["starts"],
        *TOGETHER["variables"],
        *TOGETHER["whose runs are live"],
        *("about_key", "configure_blueprint", "standings", "task_status"),
    }
