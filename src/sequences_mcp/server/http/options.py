"""How the server is reached over HTTP: its addresses, who may be in front of it, how much it takes."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from sequences_mcp.errors import SettingsError
from sequences_mcp.hosts import is_loopback
from sequences_mcp.lazy_dataclasses import dataclass

ENDPOINT = "/mcp"
DEFAULT_PORTS = {"http": 80, "https": 443}


def path_of_tenant(name: str) -> str:
    """Return the path of a tenant's endpoint."""
    return f"/t/{name}{ENDPOINT}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """Everything about the connection that ``serve`` is told; ``require_sound`` checks it.

    ``public_url`` is the address that clients use, without a path, where it is not the one listened on; ``names``
    are further hosts (``name`` or ``name:port``) and ``origins`` the web sites whose requests are answered.
    ``proxies`` are the addresses or networks of reverse proxies: only what they say of the client is believed.
    ``metrics`` is a further port on the same host that answers ``/metrics``. ``per_minute`` is how many requests
    one user may make in a minute, ``most`` how many connections are open at once, ``drain`` for how many seconds
    calls under way may go on once the server is told to stop.

    ``tenants`` is the folder with each tenant's data folder. ``tenants_open`` is how many of them are open at
    once, ``tenant_idle`` after how many seconds without a request one is closed, and ``tenant_rate`` how many
    requests all its users together may make in a minute.
    """

    host: str = "127.0.0.1"
    port: int = 8765
    public_url: str = ""
    token_file: Path | None = None
    certificate: Path | None = None
    private_key: Path | None = None
    proxies: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    metrics: int | None = None
    per_minute: int = 600
    most: int = 1_024
    drain: float = 25.0
    tenants: Path | None = None
    tenants_open: int = 64
    tenant_idle: float = 300.0
    tenant_rate: int = 6_000

    @property
    def is_loopback(self) -> bool:
        """Whether nobody outside of this machine can connect."""
        return is_loopback(self.host)

    @property
    def is_private(self) -> bool:
        """Whether only this machine can reach it: nor does a proxy lead here from elsewhere."""
        public = urlsplit(self.public_url).hostname if _authority(self.public_url) else None
        return self.is_loopback and (not self.public_url or is_loopback(public or ""))

    @property
    def scheme(self) -> str:
        """The scheme that is spoken on the port itself."""
        return "https" if self.certificate else "http"

    def require_sound(self, *, has_issuer: bool, review_url: str = "") -> None:
        """Raise SettingsError with everything that is wrong; ``has_issuer``: users sign in, each as themselves.

        ``review_url`` is the review page's own address, where it has one.
        """
        problems = list(self._problems(has_issuer=has_issuer))
        if review_url and set(host_spellings(review_url)) & self.hosts(self.port):
            # Cookies and the rules of browsers are about a whole origin; programs are served at this one.
            problems.append(f"the review page at {review_url} needs a host name that is not the server's own")
        if problems:
            raise SettingsError(
                "The server cannot be reached as asked: " + "; ".join(problems) + ".",
                next_step="sequences-mcp serve --help shows the options, docs/hosting.md how they go together.",
                data={"problems": problems},
            )

    def _problems(self, *, has_issuer: bool) -> Iterator[str]:
        if self.public_url:
            yield from _of_address(self.public_url)
        if (self.certificate is None) != (self.private_key is None):
            yield "--tls-cert and --tls-key belong together"
        if not (self.is_loopback or self.certificate or self.proxies):
            yield (
                f"on {self.host} tokens would cross the network unencrypted: give --tls-cert and --tls-key, or "
                "name with --proxy the reverse proxy that speaks TLS"
            )
        if not self.is_loopback and not self.public_url:
            yield f"on {self.host} it needs --public-url, the address that clients use"
        if not self.is_private and not has_issuer:
            yield (
                "the token of a file is for loopback alone, since everybody who has it is the same user: set "
                "SEQUENCES_OAUTH_ISSUER, at which users sign in"
            )
        if self.tenants and not has_issuer:
            yield "with tenants every user signs in: set SEQUENCES_OAUTH_ISSUER"
        if self.tenants and not self.tenants.is_dir():
            yield f"--tenants {str(self.tenants)!r} is no folder"
        if self.token_file and has_issuer:
            yield "--token-file and SEQUENCES_OAUTH_ISSUER exclude one another"
        for proxy in self.proxies:
            try:
                ipaddress.ip_network(proxy)
            except ValueError:
                yield f"--proxy {proxy!r} is neither an address nor a network such as 10.0.0.0/8"
        for origin in self.origins:
            if _authority(origin) is None or urlsplit(origin).path:
                yield f"--allow-origin {origin!r} is not of the form https://name or http://name:port"

    def hosts(self, port: int) -> frozenset[str]:
        """Return every ``Host`` that a request may have, where the server listens on ``port``."""
        given = [name.lower() for name in self.names]
        if self.public_url:
            given += host_spellings(self.public_url)
        if self.is_loopback:
            given += _loopback_hosts(port)
        return frozenset(given)

    def allowed_origins(self, port: int) -> frozenset[str]:
        """Return every ``Origin`` that a request may have; one without is no browser's from another site."""
        origins = {f"{self.scheme}://{host}" for host in _loopback_hosts(port)} if self.is_loopback else set()
        if self.public_url:
            origins.add(self.public_url.lower().rstrip("/"))
        return frozenset(origins | self.sites)

    @property
    def sites(self) -> frozenset[str]:
        """The origins of other web sites, whose pages may read what they are answered."""
        return frozenset(origin.lower().rstrip("/") for origin in self.origins)

    def address(self, port: int, *, path: str = ENDPOINT) -> str:
        """Return the address of an endpoint as clients are given it; it is the resource that tokens are for."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (self.public_url.rstrip("/") or f"{self.scheme}://{host}:{port}") + path


def _loopback_hosts(port: int) -> list[str]:
    return [f"{name}:{port}" for name in ("localhost", "127.0.0.1", "[::1]")]


def _of_address(url: str) -> Iterator[str]:
    """Yield what is wrong with an address that clients are to use."""
    parts = urlsplit(url)
    if _authority(url) is None or parts.path.strip("/") or parts.query or parts.fragment or parts.username:
        yield f"--public-url {url!r} is not of the form https://name or https://name:port, without a path"
    elif parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        yield f"--public-url {url!r} begins with http: tokens travel over https alone"


def _authority(url: str) -> tuple[str, int] | None:
    try:
        parts = urlsplit(url)
        port = parts.port or DEFAULT_PORTS[parts.scheme]
    except (ValueError, KeyError):
        return None
    return (parts.hostname, port) if parts.hostname else None


def host_spellings(url: str) -> list[str]:
    """Return how the host of an address may stand in a request: the port of its scheme may be left out."""
    authority = _authority(url)
    if authority is None:
        return []
    host, port = authority
    host = f"[{host}]" if ":" in host else host
    plain = [host] if port == DEFAULT_PORTS[urlsplit(url).scheme] else []
    return [*plain, f"{host}:{port}"]
