"""A real Dovecot on loopback: one account, Maildir folders in a temporary place, LMTP to deliver by."""

from __future__ import annotations

import getpass
import os
import pwd
import shutil
import signal
import smtplib
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import pytest
from imapclient import IMAPClient
from tests.secrecy.planted import SMTP_PASSWORD
from tests.world.mail_servers import free_port

USER = "ada@example.com"
PASSWORD = SMTP_PASSWORD.value
STARTS_WITHIN = 30.0
CONFIG = """
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
ssl = {ssl}
{certificate}
disable_plaintext_auth = no
auth_mechanisms = plain login{token_mechanisms}
auth_failure_delay = 0
first_valid_uid = 1
mail_fsync = never
default_login_user = {internal}
default_internal_user = {internal}
default_internal_group = {group}
mail_location = maildir:{folder}/mail/%u
lmtp_save_to_detail_mailbox = no
recipient_delimiter = +
{capability}
{tokens}
passdb {{
  driver = passwd-file
  mechanisms = plain login
  args = scheme=plain {folder}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail/%u allow_all_users=yes
}}
namespace inbox {{
  inbox = yes
  separator = /
{folders}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp_port}
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
"""
TOKENS = """
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {folder}/oauth2.conf
}}
"""
ASKS = """
introspection_mode = post
introspection_url = {url}
username_attribute = username
active_attribute = active
active_value = true
"""
USUAL = {"Sent": "\\Sent", "Drafts": "\\Drafts", "Trash": "\\Trash", "Junk": "\\Junk", "Archive": "\\Archive"}
WITHOUT_IDLE = "IMAP4rev1 SASL-IR LITERAL+ ENABLE UNSELECT SPECIAL-USE CONDSTORE"
GMAIL = {"All Mail": "\\All", "Spam": "\\Junk", "Sent Mail": "\\Sent", "Bin": "\\Trash", "Labelled": ""}


def has_dovecot() -> bool:
    """Say whether Dovecot with LMTP is installed."""
    return shutil.which("dovecot", path=_PATH) is not None and Path("/usr/lib/dovecot/lmtp").exists()


_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"])


@dataclass
class Dovecot:
    """A server that runs, or can be started again."""

    folder: Path
    port: int
    tls_port: int
    lmtp_port: int
    _dovecot: str = field(default="dovecot", repr=False)

    @property
    def url(self) -> str:
        """The address of the mailbox, as a setting has it."""
        return f"imap://{quote(USER, safe='')}:{quote(PASSWORD, safe='')}@127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        subprocess.run([self._dovecot, "-c", str(self.folder / "dovecot.conf")], check=True)
        for _ in range(int(STARTS_WITHIN / 0.02)):
            if self._answers():
                return
            threading.Event().wait(0.02)
        raise AssertionError((self.folder / "dovecot.log").read_text())

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as one:
                return one.recv(4) == b"* OK"
        except OSError:
            return False

    def finish(self) -> None:
        """Let it end by itself, which takes three seconds: every connection is written down then."""
        subprocess.run(["/usr/bin/doveadm", "-c", str(self.folder / "dovecot.conf"), "stop"], check=True)
        self.stop()

    def stop(self) -> None:
        """End it at once, with all its connections."""
        mark = self.folder / "run" / "master.pid"
        with suppress(FileNotFoundError):
            os.killpg(int(mark.read_text()), signal.SIGKILL)  # it leads a group of its own
            mark.unlink()
        for _ in range(int(STARTS_WITHIN / 0.02)):
            if not self._answers():
                return
            threading.Event().wait(0.02)

    def kick(self) -> None:
        """Cut every connection."""
        subprocess.run(
            ["/usr/bin/doveadm", "-c", str(self.folder / "dovecot.conf"), "kick", USER],
            check=False,
            stdout=subprocess.DEVNULL,
        )

    def deliver(self, data: bytes, *, to: str = USER, sender: str = "bob@acme.example") -> None:
        """Deliver a message by LMTP, as a mail server does."""
        with smtplib.LMTP("127.0.0.1", self.lmtp_port, local_hostname="localhost") as server:
            server.sendmail(sender, [to], data)

    def fill(self, messages: Iterable[tuple[bytes, datetime]]) -> None:
        """Put messages into the inbox at once, each with when it arrived, as the server would have kept them."""
        place = self.folder / "mail" / USER / "cur"
        owner = place.stat()
        for number, (data, at) in enumerate(messages):
            file = place / f"{int(at.timestamp())}.M{number}P1.localhost:2,"
            file.write_bytes(data)
            os.utime(file, (at.timestamp(), at.timestamp()))
            os.chown(file, owner.st_uid, owner.st_gid)

    @contextmanager
    def unreadable(self, folder: str) -> Iterator[None]:
        """Take the server's right to read a folder away for a while."""
        place = self.folder / "mail" / USER / f".{folder}"
        mode, owner = place.stat().st_mode, place.stat().st_uid
        if os.getuid() == 0:
            os.chown(place, 0, -1)
        place.chmod(0)
        try:
            yield
        finally:
            place.chmod(mode)
            os.chown(place, owner, -1)

    @contextmanager
    def put_back(self) -> Iterator[None]:
        """Put the mailbox back, after the block, as it was before it: from a backup."""
        backup = Path(tempfile.mkdtemp(prefix="dovecot-backup-"))
        self.stop()
        subprocess.run(["cp", "-a", str(self.folder / "mail"), str(backup)], check=True)
        self.start()
        try:
            yield
        finally:
            self.stop()
            shutil.rmtree(self.folder / "mail")
            shutil.move(backup / "mail", self.folder / "mail")
            shutil.rmtree(backup)
            self.start()

    @contextmanager
    def person(self) -> Iterator[IMAPClient]:
        """Yield the connection of the person whose mailbox it is."""
        with IMAPClient("127.0.0.1", port=self.port, ssl=False, timeout=30) as client:
            client.login(USER, PASSWORD)
            yield client

    def state(self) -> dict[str, list[tuple[int, frozenset[bytes]]]]:
        """Return what is in every folder, by UID and flags, without changing it."""
        found = {}
        with self.person() as client:
            for flags, _, name in client.list_folders():
                if b"\\Noselect" not in flags:
                    client.select_folder(name, readonly=True)
                    uids = client.search("ALL")
                    facts = client.fetch(uids, ["FLAGS"]) if uids else {}
                    found[str(name)] = [(uid, frozenset(facts[uid][b"FLAGS"]) - {b"\\Recent"}) for uid in uids]
        return found


@contextmanager
def dovecot(
    folders: dict[str, str] = USUAL,
    *,
    certificate: tuple[Path, Path] | None = None,
    introspection: str = "",
    capability: str = "",
) -> Iterator[Dovecot]:
    """Run a server; ``certificate`` is the file of a chain and of its key, for TLS.

    ``introspection`` is where it asks about access tokens (RFC 7662), with which one can sign in then;
    ``capability`` is all that it says it can do, in place of everything. Where it is not installed, the test is
    left out.
    """
    if not has_dovecot():
        pytest.skip("Dovecot is not installed: apt-get install dovecot-imapd dovecot-lmtpd")
    folder = Path(tempfile.mkdtemp(prefix="dovecot-"))
    server = Dovecot(
        folder, free_port(), free_port(), free_port(), shutil.which("dovecot", path=_PATH) or "dovecot"
    )
    try:
        _prepare(server, folders, certificate, introspection=introspection, capability=capability)
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _prepare(
    server: Dovecot,
    folders: dict[str, str],
    certificate: tuple[Path, Path] | None,
    *,
    introspection: str,
    capability: str,
) -> None:
    is_root = os.getuid() == 0
    owner = pwd.getpwnam("mail" if is_root else getpass.getuser())
    internal = "dovecot" if is_root else owner.pw_name
    group = pwd.getpwnam(internal).pw_gid
    lines = ""
    for name, use in folders.items():
        special = f"\n    special_use = {use}" if use else ""
        lines += f'  mailbox "{name}" {{\n    auto = create{special}\n  }}\n'
    chain = f"ssl_cert = <{certificate[0]}\nssl_key = <{certificate[1]}" if certificate else ""
    text = CONFIG.format(
        folder=server.folder,
        port=server.port,
        tls_port=server.tls_port if certificate else 0,
        lmtp_port=server.lmtp_port,
        uid=owner.pw_uid,
        gid=owner.pw_gid,
        internal=internal,
        group=_group_name(group),
        folders=lines,
        ssl="yes" if certificate else "no",
        certificate=chain,
        token_mechanisms=" xoauth2 oauthbearer" if introspection else "",
        capability=f"imap_capability = {capability}" if capability else "",
        tokens=TOKENS.format(folder=server.folder) if introspection else "",
    )
    server.folder.chmod(0o755)
    (server.folder / "dovecot.conf").write_text(text)
    (server.folder / "users").write_text(f"{USER}:{PASSWORD}\n")
    (server.folder / "users").chmod(0o644)
    (server.folder / "oauth2.conf").write_text(ASKS.format(url=introspection))
    (server.folder / "oauth2.conf").chmod(0o644)
    mail = server.folder / "mail"
    mail.mkdir(mode=0o755)
    if is_root:
        os.chown(mail, owner.pw_uid, owner.pw_gid)


def _group_name(gid: int) -> str:
    import grp

    return grp.getgrgid(gid).gr_name
