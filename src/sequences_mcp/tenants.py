"""The tenants of a server: one folder with a data folder for each, by its name.

A tenant is a folder in there that has a ``settings.toml``: its name is the folder's. What the environment of the
server says holds for no tenant, so that nobody sends from a mailbox, or works in a database, that is another's.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sequences_mcp.domain.workspace import Workspace, is_tenant_name
from sequences_mcp.errors import SettingsError
from sequences_mcp.lazy_dataclasses import dataclass, field
from sequences_mcp.settings import PREFIX, TABLE, Settings, read_settings
from sequences_mcp.settings_file import members_in

Version = tuple[int, int, int]
OF_THE_SERVER = ("oauth_issuer", "oauth_audience", "oauth_tenant_claim", "tenants")


@dataclass(slots=True)
class TenantDirectory:
    """The tenants in a folder; ``environ`` is where the secrets are that their settings refer to by name."""

    folder: Path
    environ: Mapping[str, str]
    _members: dict[str, tuple[Version, frozenset[str] | None]] = field(default_factory=dict, init=False)

    def names(self) -> list[str]:
        """Return the names of all tenants; SettingsError where the folder cannot be read."""
        try:
            return sorted(path.name for path in self.folder.iterdir() if self.version(path.name) is not None)
        except OSError as error:
            raise SettingsError(
                f"The tenants in {self.folder} cannot be listed: {error.strerror or error}.",
                next_step="Make it readable for the user that the server runs as.",
            ) from error

    def version(self, name: str) -> Version | None:
        """Return what changes with a tenant's settings; None where there is no such tenant."""
        if not is_tenant_name(name):
            return None
        try:
            state = self._workspace(name).settings_file.stat()
        except OSError:
            return None
        return state.st_ino, state.st_mtime_ns, state.st_size

    def admits(self, name: str, subject: str) -> bool:
        """Say whether a user may use a tenant: it exists, and lists them or nobody. SettingsError.

        The file is looked at each time, so that whoever is taken off its list is refused from the next request on.
        """
        version = self.version(name)
        if version is None:
            self._members.pop(name, None)
            return False
        known = self._members.get(name)
        if known is None or known[0] != version:
            known = self._members[name] = version, members_in(self._workspace(name).settings_file)
        return known[1] is None or subject in known[1]

    def settings(self, name: str) -> Settings:
        """Return the settings of a tenant; SettingsError where they are wrong or there is no such tenant."""
        if self.version(name) is None:
            raise SettingsError(
                f"There is no tenant {name[:80]!r}.", next_step="Its folder needs a settings.toml: docs/hosting.md"
            )
        known = {setting.name for setting in TABLE}
        environ = {
            key: value for key, value in self.environ.items() if key not in known and not key.startswith(PREFIX)
        }
        settings = read_settings({**environ, f"{PREFIX}DATA_DIR": str(self._workspace(name).folder)})
        if misplaced := [key for key in OF_THE_SERVER if getattr(settings, key)]:
            raise SettingsError(
                f"{settings.file} has {', '.join(misplaced)}: that is the server's to say, for all tenants.",
                next_step="Take it out; it belongs into the settings.toml of the server's own data folder.",
            )
        return settings

    def _workspace(self, name: str) -> Workspace:
        return Workspace(self.folder / name)
