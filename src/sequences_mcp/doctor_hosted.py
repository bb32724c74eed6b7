"""What doctor says of a server on the network: where people sign in to the review page, and each tenant's page."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from sequences_mcp.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

    from sequences_mcp.domain.reviewers import ReviewSettings
    from sequences_mcp.settings import Settings


def hosted_findings(settings: Settings, environ: Mapping[str, str]) -> Iterator[tuple[bool | None, str]]:
    """Yield whether each thing is well (None: for information only), and words that begin with what it is."""
    if settings.hosted.review is not None:
        yield from _page(settings.hosted.review)
    if settings.tenants:
        yield from _tenants(settings.tenants, environ)


def public_addresses(settings: Settings, environ: Mapping[str, str]) -> list[str]:
    """Return where people reach what is served under names of its own, of tenants with readable settings too."""
    hosted = [settings.hosted]
    if settings.tenants:
        from sequences_mcp.tenants import TenantDirectory

        folders = TenantDirectory(settings.tenants, environ)
        with suppress(SettingsError):
            for name in folders.names():
                with suppress(SettingsError):
                    hosted.append(folders.settings(name).hosted)
    pages = [of_folder.review.url for of_folder in hosted if of_folder.review is not None]
    return [*pages, *(of_folder.opt_out_url for of_folder in hosted)]


def _page(review: ReviewSettings) -> Iterator[tuple[bool | None, str]]:
    from sequences_mcp.server.http.issuer import IssuerKeys, fetch_document

    roles = ", ".join(f"{value} ({role.value})" for value, role in sorted(review.roles.items()))
    yield None, f"page sign-in: as {review.client_id}; by the claim {review.role_claim}: {roles}"
    yield None, f"page redirect: {review.callback} has to be registered at {review.issuer}"
    keys = IssuerKeys(review.issuer, fetch_document, time.monotonic)
    asyncio.run(keys.look())
    if keys.are_known:
        yield True, f"page issuer: {review.issuer} answers with its keys"
    else:
        yield False, f"page issuer: {review.issuer} does not answer as an issuer; nobody can sign in to the page"


def _tenants(folder: Path, environ: Mapping[str, str]) -> Iterator[tuple[bool | None, str]]:
    from sequences_mcp.tenants import TenantDirectory

    folders = TenantDirectory(folder, environ)
    try:
        names = folders.names()
    except SettingsError as error:
        yield False, f"tenants: {error}"
        return
    yield None, f"tenants: {len(names)} in {folder}; doctor with the data folder of one says how that is"
    claims = defaultdict(list)
    for name in names:
        try:
            hosted = folders.settings(name).hosted
        except SettingsError as error:
            yield False, f"tenant {name}: {error}"
            continue
        urls = [hosted.review.url] if hosted.review else []
        for url in {*urls, *([hosted.opt_out_url] if hosted.opt_out_url else [])}:
            claims[url].append(name)
        page = hosted.review.url if hosted.review else "none of its own; its people approve on this machine"
        yield None, f"page of {name}: {page}"
    for url, claiming in sorted(claims.items()):
        if len(claiming) > 1:
            yield False, f"names: {' and '.join(claiming)} both write {url}, so that it is served for neither"
