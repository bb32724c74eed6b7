"""docs/hosting.md, followed to the letter on a machine with nothing on it, to the first approved start."""

from __future__ import annotations

import shutil
import sys

import pytest
from tests.hosting.hosting_page import SECTION
from tests.hosting.test_whole_sign_in import FOLDER, NODE
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
