"""A machine on which nothing has been set up yet, for commands that a page of the documentation tells root to run.

It is a root of its own over another one: what is written goes to memory, and is gone with the process. It has a
network of its own, too, so that ports and names are free. The process has to be one that ``separated`` starts,
since these commands would change the real machine.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp

from tests.secrecy.hearing import heard

SEPARATE = ("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--")
OUTSIDE = "MOUNTS_OUTSIDE"  # where the process that starts a separated one says which mounts are its own
REPOSITORY = Path(__file__).parents[2]
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
COMMANDS = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TRUSTED = "etc/ssl/certs/ca-certificates.crt"

# Programs that are not run as they are: what they fetch from elsewhere is here already, and a root has no systemd.
APT = """#!/bin/sh
# What installing PostgreSQL and nginx does on Debian: a new cluster, and both begin.
[ "$1" = install ] || exit 0
rm -rf /var/lib/postgresql /etc/postgresql
install -d -o postgres -g postgres /var/lib/postgresql /var/run/postgresql
pg_createcluster --start "$(ls /usr/lib/postgresql | sort -V | tail -n 1)" main -- -N >&2
nginx
"""
GIT = """#!/bin/sh
[ "$1" = clone ] && ln -s {repository} "$3"
"""
PYTHON = """#!/bin/sh
[ "$1 $2" = "-m venv" ] || exit 2
install -d "$3/bin"
ln -s {prefix}/bin/sequences-mcp "$3/bin/"
ln -s /bin/true "$3/bin/pip"
"""
NPM = """#!/bin/sh
[ "$1 $2" = "install --prefix" ] || exit 2
install -d "$3/node_modules/node/bin"
ln -s {provider} "$3/node_modules/oidc-provider"
ln -s {node} "$3/node_modules/node/bin/node"
"""
SYSTEMCTL = r"""#!/bin/sh
# The units that a page writes: who it is, in which environment, which command; without what shuts it in.
value() { sed -n "s/^$1=//p" "/etc/systemd/system/$2.service"; }
case "$1" in
daemon-reload) ;;
reload) [ "$2" = nginx ] && nginx -s reload ;;
enable)
    [ "$2" = --now ] && shift 2
    for name; do
        file=$(value EnvironmentFile "$name")
        env -i PATH="$PATH" $([ -z "$file" ] || cat "$file") $(value Environment "$name") \
            setsid setpriv --reuid="$(value User "$name")" --regid="$(value User "$name")" --init-groups \
            $(value ExecStart "$name") </dev/null >"/var/log/$name.out" 2>"/var/log/$name.err" &
    done ;;
*) exit 2 ;;
esac
"""


def commands_of(page: str, section: str) -> list[str]:
    """Return the blocks of commands below a heading of a page, in their order."""
    _, _, rest = page.partition(f"\n## {section}\n")
    return COMMANDS.findall(rest.partition("\n## ")[0])


def separated(*command: str) -> tuple[int, str]:
    """Run a command in namespaces of its own, where it is the first process; all of it ends with it.

    Return its exit status and what it said.
    """
    environ = {**os.environ, OUTSIDE: _mounts()}
    done = subprocess.run([*SEPARATE, *command], env=environ, capture_output=True, text=True, check=False)
    return done.returncode, heard("a machine within this one", done.stdout + done.stderr)


def may_separate() -> bool:
    """Say whether this process may do so."""
    return os.getuid() == 0 and separated("true")[0] == 0


def _mounts() -> str:
    return str(Path("/proc/self/ns/mnt").readlink())


@dataclass
class CleanMachine:
    """A root in which commands are run one block after another, in one environment and folder as in one shell."""

    root: Path
    environ: dict[str, str] = field(default_factory=lambda: {"PATH": PATH, "HOME": "/root", "LANG": "C.UTF-8"})
    folder: str = "/root"

    def write(self, path: str, text: str, *, mode: int = 0o644) -> None:
        """Write a file, over what is there."""
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        place.write_text(text, encoding="utf-8")
        place.chmod(mode)

    def read(self, path: str) -> str:
        """Return the text of a file."""
        return (self.root / path).read_text(encoding="utf-8", errors="replace")

    def has(self, programs: Mapping[str, str]) -> None:
        """Put programs before all others of their names."""
        for name, text in programs.items():
            self.write(f"usr/local/sbin/{name}", text, mode=0o755)

    def run(self, block: str) -> str:
        """Run a block of commands and return what they said; AssertionError where one of them fails."""
        script = f"set -euo pipefail\ncd {self.folder}\n{block}\npwd >/run/folder\nenv -0 >/run/environ\n"
        # Into a file, since what a command starts keeps it open.
        with (self.root / "run/said").open("w+", encoding="utf-8") as said:
            done = subprocess.run(
                ["chroot", str(self.root), "bash", "-c", script],
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                check=False,
            )
            said.seek(0)
            text = said.read()
        assert done.returncode == 0, f"{block}\nended with {done.returncode}:\n{text}\n{self.logs()}"
        self.folder = self.read("run/folder").strip()
        self.environ = dict(line.split("=", 1) for line in self.read("run/environ").split("\0") if line)
        return text

    def logs(self) -> str:
        """Return what the services said."""
        return "\n".join(self.read(f"var/log/{path.name}") for path in (self.root / "var/log").glob("*.err"))


@contextmanager
def clean_machine() -> Iterator[CleanMachine]:
    """Make a root over this machine's: its programs are there, and what would fetch them only shows them."""
    assert os.getpid() == 1 and os.environ.get(OUTSIDE, _mounts()) != _mounts(), "Only in namespaces of its own."
    place = Path(mkdtemp())
    _call("mount", "--make-rprivate", "/")
    _call("mount", "-t", "tmpfs", "-o", "size=4g", "none", str(place))
    above, work, root = (place / name for name in ("above", "work", "root"))
    for folder in (above, work, root):
        folder.mkdir()
    layers = f"lowerdir=/,upperdir={above},workdir={work}"
    _call("mount", "-t", "overlay", "overlay", "-o", layers, str(root))
    _call("mount", "-t", "proc", "proc", str(root / "proc"))
    _call("mount", "--rbind", "/dev", str(root / "dev"))
    _call("mount", "-t", "tmpfs", "-o", "mode=755", "none", str(root / "run"))
    _call("mount", "-t", "tmpfs", "none", str(root / "tmp"))
    (root / "tmp").chmod(0o1777)
    machine = CleanMachine(root)
    provider, node = os.environ["OIDC_PROVIDER"], os.environ["NODE_22"]
    packages = Path(provider).parent  # with those that the provider is made of
    for needed in (REPOSITORY, Path(sys.prefix), Path(sys.base_prefix), packages, Path(node)):
        _show(needed, root)
    known = {"repository": REPOSITORY, "prefix": sys.prefix, "provider": provider, "node": node}
    shown = {name: text.format(**known) for name, text in {"git": GIT, "python3": PYTHON, "npm": NPM}.items()}
    machine.has({**shown, "apt-get": APT, "systemctl": SYSTEMCTL})
    for hook in (root / "etc/ca-certificates/update.d").glob("*"):
        hook.unlink()  # other programs' lists of authorities, which nobody reads here
    for name in ("sites-enabled", "sites-available", "conf.d"):
        shutil.rmtree(root / "etc/nginx" / name, ignore_errors=True)
        (root / "etc/nginx" / name).mkdir()
    yield machine


def _show(path: Path, root: Path) -> None:
    """Let everybody in a root read what may be on another disk, or below a folder of its owner alone."""
    inside = root / path.relative_to("/")
    if not inside.exists():
        inside.parent.mkdir(parents=True, exist_ok=True)
        inside.mkdir() if path.is_dir() else inside.touch()
        _call("mount", "--rbind", str(path), str(inside))
    for folder in (inside, *inside.parents):
        if folder == root:
            return
        if not folder.stat().st_mode & 0o005 and not os.path.ismount(folder):
            folder.chmod(folder.stat().st_mode | 0o055)


def _call(*command: str) -> None:
    subprocess.run(command, check=True)
