"""What is served under names of its own, of the one data folder or of each tenant: a review page, opting out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import TYPE_CHECKING

from sequences_mcp.bootstrap import open_context
from sequences_mcp.domain import actors
from sequences_mcp.errors import SettingsError
from sequences_mcp.lazy_dataclasses import dataclass, field
from sequences_mcp.server.http.issuer import IssuerKeys
from sequences_mcp.server.http.oidc import RemoteSignInIssuer
from sequences_mcp.server.http.opt_out import build_opt_out
from sequences_mcp.server.http.options import host_spellings
from sequences_mcp.server.http.sites import HostedPage, HostedSites

if TYPE_CHECKING:
    from sequences_mcp.context import AppContext
    from sequences_mcp.domain.reviewers import ReviewSettings
    from sequences_mcp.review.page.address import PageAddress
    from sequences_mcp.server.http.app import Surroundings
    from sequences_mcp.server.http.tenancy import OpenAs
    from sequences_mcp.settings import Settings
    from sequences_mcp.tenants import TenantDirectory


def own_page(settings: Settings, review: ReviewSettings, keys: IssuerKeys) -> HostedPage:
    """Return the review page of the one data folder, at which people sign in; ``keys`` are the issuer's."""
    from sequences_mcp.review.page.app import build_page

    place, service = _place(review), RemoteSignInIssuer(keys, review)
    app = partial(open_context, settings, worker=False, actor=actors.PAGE)
    return HostedPage(build_page(app, place=place, service=service), place.hosts)


def own_opt_out(settings: Settings) -> HostedPage:
    """Return what recipients opt out at with one click."""
    app = partial(open_context, settings, worker=False, actor=actors.RECIPIENT)
    return _opt_out_at(settings.hosted.opt_out_url, app, on_demand=False)


@dataclass(slots=True, kw_only=True)
class MadePages:
    """What tenants have under names of their own, made of their settings.

    Who is signed in at a page stays so while what the settings say of it stays as it is. ``server`` are the
    settings of the server, ``given`` what holds for all tenants.
    """

    server: Settings
    folders: TenantDirectory
    given: Surroundings
    _pages: dict[str, tuple[ReviewSettings, HostedPage]] = field(default_factory=dict, init=False)
    _keys: dict[str, IssuerKeys] = field(default_factory=dict, init=False)  # by issuer

    def of(self, name: str, open_as: OpenAs) -> HostedSites:
        """Return those of a tenant, which ``open_as`` opens for each request that needs it; SettingsError."""
        settings = self.folders.settings(name)
        require_one_issuer(self.server, settings)
        url = settings.hosted.opt_out_url
        return HostedSites(
            page=self._page(name, settings.hosted.review, open_as),
            opt_out=_opt_out_at(url, partial(open_as, actors.RECIPIENT), on_demand=True) if url else None,
        )

    def _page(self, name: str, review: ReviewSettings | None, open_as: OpenAs) -> HostedPage | None:
        if review is None:
            self._pages.pop(name, None)
            return None
        known = self._pages.get(name)
        if known is None or known[0] != review:
            gone = [other for other in self._pages if self.folders.version(other) is None]
            for other in gone:
                del self._pages[other]
            known = self._pages[name] = review, self._made(name, review, open_as)
        return known[1]

    def _made(self, name: str, review: ReviewSettings, open_as: OpenAs) -> HostedPage:
        from sequences_mcp.review.page.app import build_page_on_demand

        place = _place(review)
        page = build_page_on_demand(
            partial(open_as, actors.PAGE),
            place=place,
            service=RemoteSignInIssuer(self._keys_of(review.issuer), review),
            clock=self.given.clock,
            admits=partial(self._admits, name, review.issuer),
        )
        return HostedPage(page, place.hosts)

    def _keys_of(self, issuer: str) -> IssuerKeys:
        keys = self.given.keys
        assert keys is not None  # ServeOptions.require_sound
        if issuer == keys.issuer:
            return keys
        return self._keys.setdefault(issuer, IssuerKeys(issuer, keys.fetch, keys.elapsed))

    def _admits(self, name: str, issuer: str, subject: str) -> bool:
        """Say whether somebody may be at a tenant's page: its list is of those whom the tokens' issuer knows."""
        if issuer != self.server.oauth_issuer:
            return self.folders.version(name) is not None
        try:
            return self.folders.admits(name, subject)
        except SettingsError:  # nobody can tell; programs are refused as well
            return False


def require_one_issuer(server: Settings, tenant: Settings) -> None:
    """Raise SettingsError where two people approve for a tenant and cannot be told from whoever planned."""
    hosted = tenant.hosted
    if hosted.approvers > 1 and hosted.review is not None and hosted.review.issuer != server.oauth_issuer:
        raise SettingsError(
            "approvers = 2 needs one issuer for programs and the review page.",
            next_step="Let review_issuer be the server's oauth_issuer, or take approvers out.",
        )


def _place(review: ReviewSettings) -> PageAddress:
    from sequences_mcp.review.page.address import PageAddress

    return PageAddress(review.url, frozenset(host_spellings(review.url)), has_sign_in=True)


def _opt_out_at(
    url: str, open_context: Callable[[], AbstractAsyncContextManager[AppContext]], *, on_demand: bool
) -> HostedPage:
    return HostedPage(build_opt_out(open_context, on_demand=on_demand), frozenset(host_spellings(url)))
