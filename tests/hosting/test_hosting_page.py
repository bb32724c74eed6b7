"""docs/hosting.md, followed to the letter on a machine with nothing on it, to the first approved start."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.hosting.hosting_page import SECTION
from tests.hosting.test_whole_sign_in import FOLDER, NODE
from tests.secrecy.hearing import heard
from tests.world.clean_machine import REPOSITORY, commands_of, may_separate, separated

PROGRAMS = ("nginx", "pg_createcluster", "openssl", "curl", "ip", "setpriv", "runuser", "unshare", "chroot")


@pytest.mark.skipif(not (FOLDER and NODE), reason="oidc-provider is not here")
@pytest.mark.skipif(not all(map(shutil.which, PROGRAMS)), reason="not all programs of the page are here")
@pytest.mark.skipif(not may_separate(), reason="only root makes a machine within this one")
def test_its_commands_lead_from_a_clean_machine_to_an_e_mail_that_a_person_approved() -> None:
    status, said = separated(sys.executable, "-m", "tests.hosting.hosting_page")
    assert (status, said.splitlines().count("It was followed to its end.")) == (0, 1), said


def test_it_has_no_command_that_this_does_not_run() -> None:
    page = (REPOSITORY / "docs/hosting.md").read_text(encoding="utf-8")
    section = page.partition(f"\n## {SECTION}\n")[2].partition("\n## ")[0]
    others = section.count("```console")  # a certificate from a public authority, and a chat's own command
    assert (section.count("```"), others) == (2 * (len(commands_of(page, SECTION)) + others), 2)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not here")
def test_systemd_takes_the_units_that_it_writes(tmp_path: Path) -> None:
    page = (REPOSITORY / "docs/hosting.md").read_text(encoding="utf-8")
    units = dict(re.findall(r"^cat > /etc/systemd/system/(\S+) <<END\n(.*?)^END$", page, re.DOTALL | re.MULTILINE))
    assert sorted(units) == ["issuer.service", "sequences.service"]
    for name, text in units.items():
        # The program has to be there; what it is given stays as it is.
        unit, begun = re.subn(r"^ExecStart=\S+", "ExecStart=/bin/true", text, flags=re.MULTILINE)
        assert begun == 1
        (tmp_path / name).write_text(unit.replace("$DOMAIN", "example.com"))
    done = subprocess.run(
        ["systemd-analyze", "verify", *(str(tmp_path / name) for name in units)],
        env=os.environ | {"XDG_RUNTIME_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    said = heard("what systemd-analyze said", done.stdout + done.stderr)
    assert (done.returncode, [name for name in units if name in said]) == (0, []), said
