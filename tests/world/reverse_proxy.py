"""A real nginx before a server of a test, set up as docs/hosting.md says, and clients that send it anything."""

from __future__ import annotations

import os
import re
import shutil
import socket
import ssl
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import trustme
from tests.secrecy.hearing import heard
from tests.world.clean_machine import REPOSITORY

NGINX = shutil.which("nginx")
NAME = "mcp.example.com"
PATIENCE = 60.0
SITE = re.compile(r"^cat > /etc/nginx/sites-available/sequences <<END\n(.*?)^END$", re.MULTILINE | re.DOTALL)
MAIN = """daemon off; worker_processes 1; {user} pid {folder}/pid; error_log {folder}/errors;
events {{}}
http {{
access_log off;
client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
{upstream}
{site}
}}
"""
# One connection to the server for everybody, as many set it up: where what one client left over reaches another.
SHARED = 'upstream shared {{ server 127.0.0.1:{port}; keepalive 1; }}\nproxy_set_header Connection "";'
HEADERS, DATA, SETTINGS, RESET, LEAVES = 1, 0, 4, 3, 7  # frames of HTTP/2 (RFC 9113, 6)
END_STREAM, END_HEADERS = 1, 4


@dataclass(frozen=True)
class Proxy:
    """Where the proxy listens, and how it is trusted."""

    port: int
    authority: trustme.CA

    def tls(self, protocol: str) -> ssl.SSLSocket:
        """Connect, to speak one of its two protocols."""
        raw = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        return _trusting(self.authority, protocol).wrap_socket(raw, server_hostname=NAME)

    def says(self, sent: bytes) -> bytes:
        """Send bytes of HTTP/1.1, and return all that is answered until the proxy closes the connection."""
        with self.tls("http/1.1") as connection:
            return everything(connection, sent)

    def frames(self, headers: list[tuple[bytes, bytes]], body: bytes = b"") -> str:
        """Send one request of HTTP/2; return its status, or how the proxy refused it."""
        with self.tls("h2") as connection:
            flags = END_HEADERS | (0 if body else END_STREAM)
            head = b"".join(b"\x10" + _text(name) + _text(value) for name, value in headers)
            sent = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _frame(SETTINGS, 0, 0) + _frame(HEADERS, flags, 1, head)
            connection.sendall(sent + (_frame(DATA, END_STREAM, 1, body) if body else b""))
            return _status(connection)


@cache
def _trusting(authority: trustme.CA, protocol: str) -> ssl.SSLContext:
    """Return what trusts this authority alone: reading those of the system takes longer than a request."""
    context = ssl.create_default_context(cadata=authority.cert_pem.bytes().decode("ascii"))
    context.set_alpn_protocols([protocol])
    return context


def everything(connection: socket.socket, sent: bytes) -> bytes:
    """Send bytes, and return all that comes until the other side ends the connection."""
    got = bytearray()
    try:
        connection.sendall(sent)
        while piece := connection.recv(65_536):
            got += piece
    except (ConnectionError, ssl.SSLEOFError):
        pass  # cut off is an end as well
    return heard("an answer through the proxy", bytes(got))


def statuses(said: bytes) -> list[int]:
    """Return the statuses of all answers in what was said, in their order."""
    return [int(found) for found in re.findall(rb"HTTP/1\.[01] (\d{3})[ \r]", said)]


@contextmanager
def proxied(port: int, folder: Path, *, is_shared: bool = False) -> Iterator[Proxy]:
    """Have nginx stand before a port; ``is_shared``: with one connection to it for all its clients."""
    assert NGINX is not None
    authority = trustme.CA()
    issued = authority.issue_cert(NAME, "review.example.com")
    issued.private_key_pem.write_to_path(folder / "key.pem")
    for part in issued.cert_chain_pems:
        part.write_to_path(folder / "cert.pem", append=True)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        own = listening.getsockname()[1]
        text = MAIN.format(
            folder=folder,
            user="user root;" if os.getuid() == 0 else "",
            site=_site(own, port=port, folder=folder, is_shared=is_shared),
            upstream=SHARED.format(port=port) if is_shared else "",
        )
        (folder / "nginx.conf").write_text(text)
        # As in an upgrade of its own, nginx takes a socket over that listens already: no port is taken in between.
        process = subprocess.Popen(
            [NGINX, "-e", str(folder / "errors"), "-c", str(folder / "nginx.conf")],
            env={**os.environ, "NGINX": f"{listening.fileno()};"},
            pass_fds=[listening.fileno()],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    try:
        yield Proxy(own, authority)
        assert process.poll() is None, heard("what nginx said", (folder / "errors").read_text())
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _site(own: int, *, port: int, folder: Path, is_shared: bool) -> str:
    """Return the site that the page has its reader write, on other ports."""
    written = SITE.search((REPOSITORY / "docs/hosting.md").read_text(encoding="utf-8"))
    assert written is not None
    text = written[1].replace("\\$", "$").replace("$DOMAIN", "example.com")
    text = text.replace("$CERTIFICATE_KEY", str(folder / "key.pem")).replace(
        "$CERTIFICATE", str(folder / "cert.pem")
    )
    assert "127.0.0.1:8765" in text and "listen 443" in text
    text = text.replace("127.0.0.1:8765", "shared" if is_shared else f"127.0.0.1:{port}")
    return text.replace("listen 443", f"listen 127.0.0.1:{own}")


def _frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def _text(text: bytes) -> bytes:
    """Return a text as HPACK has it without a table or Huffman's code (RFC 7541, 5.1 and 5.2)."""
    if len(text) < 127:
        return bytes([len(text)]) + text
    rest, more = len(text) - 127, bytearray([127])
    while rest >= 128:
        more.append(rest % 128 + 128)
        rest //= 128
    return bytes([*more, rest]) + text


def _status(connection: ssl.SSLSocket) -> str:
    """Return the first status that comes, "reset" or "closed"; nginx writes it as an index or plainly."""
    known = {0x88: "200", 0x8B: "304", 0x8C: "400", 0x8D: "404", 0x8E: "500"}
    stream = connection.makefile("rb")
    while head := stream.read(9):
        payload = stream.read(int.from_bytes(head[:3], "big"))
        if head[3] == HEADERS:
            if payload[0] in known:
                return known[payload[0]]
            assert payload[0] in (0x08, 0x48) and payload[1] == 3, payload[:8]  # :status, as three letters
            return payload[2:5].decode()
        if head[3] == RESET:
            return "reset"
        if head[3] == LEAVES:
            return "closed"
    return "closed"
