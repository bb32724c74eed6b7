"""A sign-in from nothing to a call, against a certified authorization server: what a host's client goes through.

Discovery, a client that is known by its metadata document (CIMD), PKCE, a person's sign-in and consent, a token
for this server, a call, a second consent for a scope that was lacking (step-up), a refresh, a revocation.
"""

from __future__ import annotations

import json
import os
import re
import ssl
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx2
import jwt
import pytest
from mcp.client.auth import OAuthClientProvider, TokenStorage
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from tests.secrecy.client import Client
from tests.secrecy.hearing import heard, learnt
from tests.world.http_server import Served, serving
from tests.world.page import PageWorld
from tests.world.product import Desktop
from tests.world.tenants import ACME, HOPPER, TenantsWorld, at, serving_tenants

from sequences_mcp.server.http.callers import Caller
from sequences_mcp.server.http.issuer import IssuerKeys, SignedTokenCheck, fetch_document
from sequences_mcp.server.http.options import ServeOptions, path_of_tenant

FOLDER, NODE = os.environ.get("OIDC_PROVIDER", ""), os.environ.get("NODE_22", "")
PROGRAM = Path(__file__).parent / "identity_provider.mjs"
CLIENT = "https://client.example/oauth/client.json"
CALLBACK = "http://127.0.0.1:7777/callback"  # nothing listens there: the test reads the redirect
pytestmark = pytest.mark.skipif(not (FOLDER and NODE), reason="oidc-provider is not here")


@contextmanager
def identity_provider(*callbacks: str, **environ: str) -> Iterator[str]:
    """Start the authorization server, with the client of pages that have these callbacks; yield its identifier."""
    command = [NODE, str(PROGRAM), FOLDER, *callbacks]
    known = {**os.environ, **environ}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=known)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(heard('the port', process.stdout.readline()))}"
    finally:
        process.kill()
        process.communicate()


@contextmanager
def for_its_users(world: PageWorld, issuer: str) -> Iterator[Served]:
    """Serve a data folder under its own address to the users of an issuer."""
    keys = IssuerKeys(issuer, fetch_document, lambda: 0.0)
    addresses: list[str] = []

    async def verify(token: str) -> Caller | None:
        return await SignedTokenCheck(keys, addresses[0]).verify(token)

    with serving(world, verify=verify, keys=keys) as served:
        addresses.append(f"http://127.0.0.1:{served.port}/mcp")
        yield served


@dataclass
class Person(TokenStorage):
    """Somebody with a browser, and what their program keeps, whose metadata document is at ``program``."""

    name: str
    program: str = CLIENT
    tokens: OAuthToken | None = None
    client: OAuthClientInformationFull | None = None
    consents: list[str] = field(default_factory=list)
    redirect: str = ""

    async def get_tokens(self) -> OAuthToken | None:
        """Return the tokens."""
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        """Keep the tokens."""
        learnt("an access token", tokens.access_token)
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        """Return who the program is."""
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        """Keep who the program is."""
        self.client = client_info

    async def sign_in(self, address: str) -> None:
        """Open an address, fill in the forms that come, and stop where the program is called back."""
        asked = parse_qs(urlsplit(address).query)
        assert asked["code_challenge_method"] == ["S256"] and asked["client_id"] == [CLIENT]
        self.consents.append(asked["scope"][0])
        async with httpx2.AsyncClient(timeout=httpx2.Timeout(60)) as browser:
            answer = await browser.get(address)
            while True:
                if answer.is_redirect:
                    there = urljoin(str(answer.url), answer.headers["location"])
                    if there.startswith(CALLBACK):
                        self.redirect = there
                        return
                    answer = await browser.get(there)
                    continue
                form = re.search(r'action="([^"]+)"', answer.text)
                prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
                assert form and prompt, answer.text
                filled = {"prompt": prompt[1], "login": self.name, "password": "x"}
                answer = await browser.post(urljoin(str(answer.url), form[1]), data=filled)

    async def called_back(self) -> AuthorizationCodeResult:
        """Return what the program is called back with."""
        given = parse_qs(urlsplit(self.redirect).query)
        return AuthorizationCodeResult(code=given["code"][0], state=given["state"][0], iss=given["iss"][0])

    @asynccontextmanager
    async def connected(self, url: str, era: str, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Desktop]:
        """Connect a client that signs in when it has to."""
        metadata = OAuthClientMetadata.model_validate(
            {
                "redirect_uris": [CALLBACK],
                "grant_types": ["authorization_code", "refresh_token"],
                "token_endpoint_auth_method": "none",
            }
        )
        signing_in = OAuthClientProvider(
            url, metadata, self, self.sign_in, self.called_back, client_metadata_url=self.program
        )
        async with (
            httpx2.AsyncClient(auth=signing_in, timeout=httpx2.Timeout(60), verify=tls or True) as http,
            Client(streamable_http_client(url, http_client=http), mode=era) as client,
        ):
            yield Desktop(client)


async def test_a_person_signs_in_steps_up_refreshes_and_signs_out(world: PageWorld, era: str) -> None:
    ada = Person("ada")
    with identity_provider() as issuer, for_its_users(world, issuer) as served:
        url = f"http://127.0.0.1:{served.port}/mcp"
        async with ada.connected(url, era) as host:
            assert await host.call("list_blueprints")
            await host.raw("stop_sequence", sequence_id="local:seq_0")  # no scope beyond the first sign-in's
            assert [scope.split()[0] for scope in ada.consents] == ["sequences:read"]
            assert "sequences:draft" not in ada.consents[0]
            await host.blueprint()
        assert len(ada.consents) == 2 and {"sequences:read", "sequences:draft"} <= set(ada.consents[1].split())
        assert ada.tokens is not None and ada.tokens.refresh_token
        claims = _claims(ada.tokens.access_token)
        assert (claims["sub"], claims["aud"], claims["client_id"]) == ("ada", url, CLIENT)
        refreshed = await _refreshed(issuer, ada.tokens.refresh_token, url)
        learnt("an access token", refreshed["access_token"])
        assert served.tool("list_blueprints", token=refreshed["access_token"]).status == 200
        assert served.tool("resume_sequence", token=refreshed["access_token"]).status == 403
        assert served.tool("list_blueprints", token=refreshed["refresh_token"]).status == 401
        await _revoke(issuer, refreshed["refresh_token"])
        assert "error" in await _refreshed(issuer, refreshed["refresh_token"], url)
    assert world.rows("SELECT DISTINCT actor FROM audit WHERE action LIKE 'blueprint%'") == [("agent:ada",)]
    assert {line.get("program") for line in served.log if line.get("user") == "ada"} == {CLIENT}


@dataclass(frozen=True)
class Provided:
    """An identity provider as the issuer of tokens for tenants."""

    url: str

    def keys_for(self) -> IssuerKeys:
        """Return what remembers its keys."""
        return IssuerKeys(self.url, fetch_document, lambda: 0.0)


async def test_a_person_signs_in_for_one_tenant_and_is_nobody_at_another(tmp_path: Path, era: str) -> None:
    tenants, ada = TenantsWorld(tmp_path), Person("ada")
    tenants.tenant(ACME, 'members = ["ada"]')
    tenants.tenant(HOPPER)
    with identity_provider() as issuer, serving_tenants(tenants, Provided(issuer), ServeOptions()) as served:
        url = f"http://127.0.0.1:{served.port}{path_of_tenant(ACME)}"
        async with ada.connected(url, era) as host:
            assert await host.call("list_blueprints")
        assert ada.tokens is not None and _claims(ada.tokens.access_token)["aud"] == url
        given = ada.tokens.access_token
        assert at(served, ACME).tool("list_blueprints", token=given).status == 200
        assert at(served, HOPPER).tool("list_blueprints", token=given).status == 401
        tenants.tenant(ACME, "members = []")
        assert at(served, ACME).tool("list_blueprints", token=given).status == 401


def _claims(token: str) -> dict[str, Any]:
    assert jwt.get_unverified_header(token)["typ"] == "at+jwt"
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


async def _refreshed(issuer: str, refresh_token: str, resource: str) -> dict[str, Any]:
    asked = {"grant_type": "refresh_token", "refresh_token": refresh_token, "client_id": CLIENT}
    async with httpx2.AsyncClient(timeout=httpx2.Timeout(60)) as program:
        answer = await program.post(f"{issuer}/token", data={**asked, "resource": resource})
    facts: dict[str, Any] = json.loads(answer.text)
    return facts


async def _revoke(issuer: str, refresh_token: str) -> None:
    asked = {"token": refresh_token, "token_type_hint": "refresh_token", "client_id": CLIENT}
    async with httpx2.AsyncClient(timeout=httpx2.Timeout(60)) as program:
        assert (await program.post(f"{issuer}/token/revocation", data=asked)).status_code == 200
