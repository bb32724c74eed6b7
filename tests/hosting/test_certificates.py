"""A certificate that is renewed while the server runs, and what doctor says of those at the public addresses."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from tests.world.http_server import Served, serving
from tests.world.page import PageWorld

from sequences_mcp.doctor import certificate_lines
from sequences_mcp.errors import SettingsError
from sequences_mcp.server.http.certificates import RenewedCertificate
from sequences_mcp.server.http.options import ServeOptions

NOW = datetime.now(UTC)
PATIENCE = 60.0


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Whoever issues the certificates."""
    return trustme.CA()


def put(folder: Path, authority: trustme.CA, kind: trustme.KeyType = trustme.KeyType.ECDSA) -> int:
    """Write a new certificate for this machine and its key, over those before; return its number."""
    issued = authority.issue_cert("localhost", "127.0.0.1", key_type=kind)
    issued.private_key_pem.write_to_path(folder / "key.pem")
    chain = [*issued.cert_chain_pems, authority.cert_pem]
    (folder / "cert.pem").write_bytes(b"".join(part.bytes() for part in chain))
    return x509.load_pem_x509_certificate(chain[0].bytes()).serial_number


def presented(served: Served, *, name: str | None = "localhost") -> int:
    """Return the number of the certificate that a new connection sees; without a name it says none."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", served.port), PATIENCE) as raw,
        context.wrap_socket(raw, server_hostname=name) as connection,
    ):
        return x509.load_der_x509_certificate(connection.getpeercert(binary_form=True) or b"").serial_number


class Told(logging.Handler):
    """What the log says of certificates, and that can be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._more = threading.Semaphore(0)

    def emit(self, record: logging.LogRecord) -> None:
        """Take a line."""
        self.lines.append(record.getMessage())
        self._more.release()

    def next(self) -> str:
        """Return the next line."""
        assert self._more.acquire(timeout=PATIENCE)
        return self.lines.pop(0)


@contextmanager
def listening() -> Iterator[Told]:
    """Listen to that log."""
    told, log = Told(), logging.getLogger("sequences_mcp.server.http.certificates")
    log.addHandler(told)
    try:
        yield told
    finally:
        log.removeHandler(told)


def test_a_renewed_certificate_is_used_without_a_restart_and_a_broken_one_is_not(
    world: PageWorld, tmp_path: Path, authority: trustme.CA
) -> None:
    folder = tmp_path / "tls"
    folder.mkdir()
    first = put(folder, authority, trustme.KeyType.RSA)
    options = ServeOptions(certificate=folder / "cert.pem", private_key=folder / "key.pem")
    with listening() as told, serving(world, options) as served:
        assert {presented(served), presented(served, name=None)} == {first}
        before = socket.create_connection(("127.0.0.1", served.port), PATIENCE)
        assert served.tls is not None
        with served.tls.wrap_socket(before, server_hostname="localhost") as kept:
            second = put(folder, authority)  # of another kind of key
            assert "is used from now on" in told.next()
            assert {presented(served), presented(served, name=None)} == {second}
            kept.sendall(f"GET /healthz HTTP/1.1\r\nHost: localhost:{served.port}\r\n\r\n".encode())
            assert kept.recv(100).startswith(b"HTTP/1.1 200")
        (folder / "cert.pem").write_text("-----BEGIN CERTIFICATE-----\nnone\n")
        assert "the one before stays" in told.next()
        assert presented(served) == second
        third = put(folder, authority)
        while "is used from now on" not in told.next():
            pass  # it was looked at between the two files
        assert presented(served) == third and not told.lines


def test_files_that_cannot_be_used_are_told_at_the_start(tmp_path: Path, authority: trustme.CA) -> None:
    put(tmp_path, authority)
    chain, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    (tmp_path / "other").mkdir()
    put(tmp_path / "other", authority)
    for wrong in (tmp_path / "none.pem", chain, tmp_path / "other/key.pem"):
        with pytest.raises(SettingsError, match="cannot be used"):
            RenewedCertificate(chain, wrong)
    RenewedCertificate(chain, key).look()


@contextmanager
def presenting(authority: trustme.CA, *, days: int) -> Iterator[list[str]]:
    """Present a certificate that holds for so many days; yield the address."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(
        "localhost", not_before=NOW - timedelta(days=90), not_after=NOW + timedelta(days=days, hours=1)
    ).configure_cert(context)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            try:
                context.wrap_socket(connection, server_side=True).close()
            except OSError:
                connection.close()  # who does not believe it says so and leaves

        threading.Thread(target=answer, daemon=True).start()
        yield [f"https://localhost:{server.getsockname()[1]}"]


@pytest.mark.parametrize(
    ("days", "ok", "words"),
    [(60, True, "for 60 days"), (13, False, "should have been renewed"), (-2, False, "expired")],
    ids=["long", "soon", "over"],
)
def test_doctor_says_until_when_a_certificate_holds(
    authority: trustme.CA, days: int, ok: bool, words: str
) -> None:
    trusted = ssl.create_default_context()
    authority.configure_trust(trusted)
    with presenting(authority, days=days) as addresses:
        [line] = certificate_lines(addresses, now=NOW, trusted=trusted)
    assert line.ok is ok and words in line.words and "localhost" in line.words


def test_doctor_says_where_a_certificate_is_not_believed_or_nobody_answers(authority: trustme.CA) -> None:
    with presenting(authority, days=60) as addresses:
        [line] = certificate_lines(addresses, now=NOW)
    assert line.ok is False and "does not hold here" in line.words
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    [line] = certificate_lines([f"https://localhost:{port}"], now=NOW)
    assert line.ok is None and "cannot be reached from here" in line.words
    assert not [*certificate_lines(["", "http://localhost"], now=NOW)]
