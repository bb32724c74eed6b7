"""A client of Temporal: connected by the settings, or told in words why it is not."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio.client import Client
from temporalio.service import RPCError, TLSConfig

from sequences_mcp.engine.temporal import TemporalAddress
from sequences_mcp.errors import ClockUnavailableError

CONNECT_WITHIN, ANSWER_WITHIN = timedelta(seconds=5), timedelta(seconds=10)
UNAVAILABLE = (RPCError, RuntimeError, OSError, TimeoutError)
"""What Temporal's library raises where nothing answers, or what answers is not let in."""


async def temporal_client(address: TemporalAddress) -> Client:
    """Return a client; ClockUnavailableError where nothing answers there in time."""
    try:
        key = address.api_key.value if address.api_key else None
        connecting = Client.connect(address.target, namespace=address.namespace, api_key=key, tls=_tls(address))
        client = await asyncio.wait_for(connecting, CONNECT_WITHIN.total_seconds())
        await client.service_client.check_health(timeout=ANSWER_WITHIN)
    except UNAVAILABLE as error:
        raise unavailable(address, error) from error
    return client


def _tls(address: TemporalAddress) -> TLSConfig | bool:
    """Return how the connection is encrypted, False for not at all. Raises OSError.

    Its files are read each time, so that a certificate that was renewed counts with the next connection.
    """
    if not address.is_encrypted:
        return False
    key = address.certificate_key
    if (address.certificate is None) is not (key is None):
        raise OSError("its certificate is named without a private key, or the key is not to be had here")
    return TLSConfig(
        server_root_ca_cert=address.authority.read_bytes() if address.authority else None,
        client_cert=address.certificate.read_bytes() if address.certificate else None,
        client_private_key=key.value.encode() if key else None,
    )


def unavailable(address: TemporalAddress, error: BaseException) -> ClockUnavailableError:
    """Return the error for a server that does not answer."""
    return ClockUnavailableError(
        f"Temporal at {address.words} does not answer: {temporal_words(error)}.",
        next_step="Start it, or correct `temporal` in the settings. Nothing leaves meanwhile; stops, pauses and "
        "suppressions count all the same.",
    )


def temporal_words(error: BaseException) -> str:
    """Return what an error of Temporal's library says first."""
    if "ConnectionRefused" in str(error):
        return "the connection was refused"
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")[:200]
