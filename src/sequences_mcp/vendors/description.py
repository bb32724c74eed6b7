"""The description of a vendor: its names, settings, abilities, limits, and the texts in which people read of it.

One value a vendor, ``DESCRIPTION`` in ``vendors/<name>/__init__.py``; ``vendors.registry`` lists them. Every other
room asks these values and knows no vendor by name. They import nothing else of the product but its dataclasses:
reading one is cheap.
"""

from __future__ import annotations

from collections.abc import Mapping

from sequences_mcp.lazy_dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class VendorSetting:
    """A further setting of an account, an id at the vendor: ``bot_id`` in its table of settings.toml.

    ``expected`` says what it has to be, and ``in_terms`` how an approval of a start names it: ``{}`` is the id.
    """

    key: str
    meaning: str
    expected: str
    in_terms: str


@dataclass(frozen=True, kw_only=True)
class VendorDescription:
    """One vendor. Its folder under ``vendors/`` has its ``name``, with the adapter in it.

    Facts, which its adapter bears out: ``has_versions``: its blueprints are changed from here and have versions; a
    vendor without has templates, made in its own app. ``ends_runs``: its API can end a run.
    ``has_configuration``: its blueprints have a configuration of their own. ``names_runs_by_blueprint``: the name
    of a run is that of its blueprint. ``tools``: those served only where such a vendor is connected.

    What it knows: ``fills_in`` names the variables it fills in from its own records, ``knows_of_people`` the facts
    of a person that it has of its own. ``needs_connected`` says, by channel, what has to be connected in its app.

    Words: ``course`` is what it does with people handed over to it, ``course_if`` the same where a plan has the
    warning of that rule. ``status_words`` says what the vendor's word for a status, in capitals, means, where
    that says more than the status. ``unseen_runs`` is said after a change of a blueprint. ``writes_later`` and
    ``writes_unreviewed`` are said before a start at a vendor that writes all texts itself, with and without a
    review there; ``no_sender`` where nobody is set to send. ``replied_word`` is its status of a run whose person
    replied, and ``replies_unseen`` what its API does not tell of that.
    """

    name: str
    title: str
    base_url: str
    further_settings: tuple[VendorSetting, ...] = ()
    has_versions: bool = False
    ends_runs: bool = False
    has_configuration: bool = False
    names_runs_by_blueprint: bool = False
    tools: tuple[str, ...] = ()
    fills_in: frozenset[str] = frozenset()
    knows_of_people: frozenset[str] = frozenset()
    needs_connected: Mapping[str, str] = field(default_factory=dict)
    course: str
    course_if: Mapping[str, str] = field(default_factory=dict)
    status_words: Mapping[str, str] = field(default_factory=dict)
    unseen_runs: str = ""
    writes_later: str | None = None
    writes_unreviewed: str | None = None
    no_sender: str | None = None
    replied_word: str = ""
    replies_unseen: str = ""

    @property
    def key_setting(self) -> str:
        """The environment variable that holds the key."""
        return f"{self.name.upper()}_API_KEY"

    @property
    def url_setting(self) -> str:
        """The environment variable that holds another base URL."""
        return f"{self.name.upper()}_BASE_URL"

    def further_setting(self, setting: VendorSetting) -> str:
        """Return the environment variable of a further setting."""
        return f"{self.name.upper()}_{setting.key.upper()}"
