"""Reads the house policy from ``guards.toml``, and names every bad entry."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sequences_mcp.domain.findings import Severity
from sequences_mcp.errors import SettingsError
from sequences_mcp.guards.catalogue import RULES
from sequences_mcp.guards.policy import PROTECTED, GuardPolicy


def load_policy(path: Path) -> GuardPolicy:
    """Read ``guards.toml``. Raises SettingsError naming every bad entry, or why the file cannot be read."""
    import tomllib

    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _bad(path, [f"it cannot be read ({error.strerror})"]) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _bad(path, [f"it is not TOML in UTF-8 ({error})"]) from error
    problems = [problem for name, value in entries.items() if (problem := _problem(name, value))]
    problems += _severity_problems(entries.get("severity"))
    if problems:
        raise _bad(path, problems)
    return _policy(entries)


def _policy(entries: Mapping[str, Any]) -> GuardPolicy:
    given = dict(entries)
    given["severity"] = MappingProxyType(
        {rule: Severity(word) for rule, word in given.get("severity", {}).items()}
    )
    given["forbidden"] = tuple(given.get("forbidden", ()))
    given["allowed_brackets"] = frozenset(
        phrase.casefold().strip() for phrase in given.get("allowed_brackets", ())
    )
    return GuardPolicy(**given)


def _problem(name: str, value: object) -> str | None:
    if name in ("forbidden", "allowed_brackets"):
        if isinstance(value, list) and all(isinstance(phrase, str) and phrase.strip() for phrase in value):
            return None
        return f"{name} must be a list of phrases"
    if name == "free_linkedin_account":
        return None if isinstance(value, bool) else f"{name} must be true or false"
    if name in ("sms_segments", "max_steps"):
        is_count = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 1000
        return None if is_count else f"{name} must be a whole number from 1 to 1000"
    if name == "severity":
        return None if isinstance(value, dict) else "severity must be a table of rule ids"
    return f"{name!r} is not a setting of the guards"


def _severity_problems(table: object) -> list[str]:
    if not isinstance(table, dict):
        return []
    known = {rule.id: rule for rule in RULES}
    problems: list[str] = []
    for rule, word in table.items():
        if rule not in known:
            problems.append(f"severity names {rule!r}, which is no rule")
        elif word not in tuple(Severity):
            problems.append(f"severity of {rule} must be error, warning or note, not {word!r}")
        elif known[rule].severity is Severity.ERROR and rule.startswith(PROTECTED) and word != Severity.ERROR:
            problems.append(f"severity of {rule} cannot be lowered")
    return problems


def _bad(path: Path, problems: list[str]) -> SettingsError:
    return SettingsError(
        f"{path} is not a guards file: {'; '.join(problems)}.",
        next_step="Mend the file, or remove it to use the rules as they are.",
        data={"problems": problems},
    )
