"""An e-mail is written like a person's: signed, dated where its sender lives, readable in its source."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.utils import getaddresses, parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
from tests.world.product import GRACE, MAIL, Bureau, yes

from sequences_mcp.domain.sender import Sender
from sequences_mcp.engine.channels.message import ComposedMessage, Correspondence, compose
from sequences_mcp.errors import SettingsError
from sequences_mcp.settings import read_settings

SIGNATURE = "Ada Lovelace\nExample Ltd"
MAILBOX = """\
[mailboxes.ada]
name = "Ada Lovelace"
address = "ada@lovelace.example"
window = "Mon-Sun 00:00-24:00"
spacing = 0
signature = "Ada Lovelace\\nExample Ltd"
reply_to = "team@lovelace.example"
time_zone = "Europe/Paris"
"""


def letter(content: str, *, within: Correspondence | None = None, **of_sender: Any) -> ComposedMessage:
    return compose(
        sender=Sender("ada@example.com", "Ada", "Lovelace", **of_sender),
        recipient="bob@example.org",
        subject="Hello",
        content=content,
        message_id=f"<{'a' * 32}@example.com>",
        date=datetime(2026, 7, 1, 10, 0, tzinfo=UTC),
        within=within or Correspondence(),
    )


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("Hello Bob, a plain letter.", "7bit"),
        ("Bonjour Zoé, votre métier près de chez vous m'intéresse.", "quoted-printable"),
        ("Zażółć gęślą jaźń, Żółwiu źdźbło ćma łąka ęąśżźćńół", "quoted-printable"),
        ("Trương Thị Ngọc Ánh, xin chào chị và các bạn ở Đà Nẵng", "quoted-printable"),
        ("Hello 👋👋👋 – “quoted”", "quoted-printable"),
        ("👋", "quoted-printable"),
        ("Здравствуйте, Анна. Есть роль в Берлине.", "base64"),
        ("こんにちは。東京での仕事についてお話しできますか。", "base64"),
        ("word " * 400, "quoted-printable"),
    ],
)
def test_a_letter_in_latin_letters_stays_readable_in_its_source(content: str, encoding: str) -> None:
    mail = message_from_bytes(letter(content).data, policy=policy.default)
    assert mail["Content-Transfer-Encoding"] == encoding
    assert mail.get_content().strip() == content.strip()


def test_the_date_is_in_the_senders_zone() -> None:
    mail = message_from_bytes(letter("Hi", time_zone="Europe/Paris").data, policy=policy.default)
    assert str(mail["Date"]).endswith("12:00:00 +0200")
    assert parsedate_to_datetime(str(mail["Date"])) == datetime(2026, 7, 1, 10, 0, tzinfo=UTC)


def test_one_click_stands_beside_the_address_when_there_is_one_to_post_to() -> None:
    within = Correspondence(unsubscribes=True, one_click="https://seq.example/u/token")
    mail = message_from_bytes(letter("Hi", within=within).data, policy=policy.default)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert str(mail["List-Unsubscribe"]).endswith(", <https://seq.example/u/token>")
    assert str(mail["List-Unsubscribe"]).startswith("<mailto:ada@example.com?subject=unsubscribe%20aaaa")


@pytest.mark.parametrize("content", ["Hello.", "Hello.\n", f"Hello.\n\n{SIGNATURE}", f"Hello.\n\n{SIGNATURE}\n"])
def test_a_letter_is_signed_once(content: str) -> None:
    sender = Sender("ada@example.com", "Ada", "Lovelace", signature=SIGNATURE)
    assert sender.signed(content) == f"Hello.\n\n{SIGNATURE}"
    assert sender.unsigned(sender.signed(content)) == "Hello."


async def test_the_signature_is_in_the_text_that_a_person_approves_and_the_answers_go_to_reply_to(
    bureau: Bureau,
) -> None:
    bureau.folder.mkdir(mode=0o700, exist_ok=True)
    (bureau.folder / "settings.toml").write_text(MAILBOX)
    async with bureau.client("auto", yes) as desktop:
        blueprint = await desktop.blueprint({**MAIL, "content": "Hello {{firstname}}, a word."})
        started = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[GRACE])
        [step] = started["sample"]["steps"]
        assert step["content"] == f"Hello Grace, a word.\n\n{SIGNATURE}"
        bureau.work()
    [mail] = bureau.outbox
    assert mail.get_content().replace("\r\n", "\n").strip() == step["content"]
    assert getaddresses([str(mail["Reply-To"])]) == [("Ada Lovelace", "team@lovelace.example")]
    assert parsedate_to_datetime(str(mail["Date"])).utcoffset() is not None


async def test_an_edited_text_is_signed_like_the_planned_one(bureau: Bureau) -> None:
    bureau.folder.mkdir(mode=0o700, exist_ok=True)
    (bureau.folder / "settings.toml").write_text(MAILBOX)
    async with bureau.client("auto") as desktop:
        started = await desktop.call("start_sequence", blueprint_id=await desktop.blueprint(), contacts=[GRACE])
        run = started["sample"]["sequence_id"]
        draft = (await desktop.call("get_sequence", sequence_id=run))["steps"][0]["draft_id"]
        for given in ("Hello Grace, shorter.", f"Hello Grace, shorter.\n\n{SIGNATURE}"):
            edited = await desktop.call("edit_draft", draft_id=draft, content=given)
            assert edited["content"] == f"Hello Grace, shorter.\n\n{SIGNATURE}"


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"language": "fr"}, "Si vous préférez ne plus recevoir"),
        ({"language": "pt-BR"}, "Se preferir não receber"),
        ({"country": "DE"}, "Wenn Sie keine weiteren Nachrichten"),
        ({"language": "ja"}, "If you would rather not hear"),
        ({}, "If you would rather not hear"),
    ],
)
async def test_the_line_on_how_to_say_no_is_in_the_persons_language_and_in_the_text_that_is_approved(
    bureau: Bureau, facts: dict[str, str], expected: str
) -> None:
    bureau.folder.mkdir(mode=0o700, exist_ok=True)
    (bureau.folder / "settings.toml").write_text(MAILBOX + "opt_out_line = true\n")
    async with bureau.client("auto") as desktop:
        blueprint = await desktop.blueprint({**MAIL, "content": "Hello {{firstname}}, a word."})
        await desktop.call("save_contacts", contacts=[{**GRACE, "consent": "asked at a fair", **facts}])
        started = await desktop.call("start_sequence", blueprint_id=blueprint, contacts=[GRACE["email"]])
        run = started["sample"]["sequence_id"]
        [step] = (await desktop.call("get_sequence", sequence_id=run))["steps"]
        text, signature, line = step["content"].rsplit("\n\n", 2)
        assert (text, signature, line.startswith(expected)) == ("Hello Grace, a word.", SIGNATURE, True)
        edited = await desktop.call(
            "edit_draft", draft_id=step["draft_id"], content=f"Shorter.\n\n{SIGNATURE}\n\n{line}"
        )
        assert edited["content"] == f"Shorter.\n\n{SIGNATURE}\n\n{line}"
        own = "Hello. If you would rather not hear from me again, tell me."
        edited = await desktop.call("edit_draft", draft_id=step["draft_id"], content=own)
        assert edited["content"] == f"{own}\n\n{SIGNATURE}"  # it says so itself


def test_the_setting_of_the_law_asks_for_the_line_in_every_mailbox_but_one_that_says_otherwise(
    tmp_path: Path,
) -> None:
    two = "[mailboxes.bob]\nname = 'Bob'\naddress = 'b@b.example'\nopt_out_line = false\n"
    table = "[mailboxes.ada]\nname = 'Ada'\naddress = 'a@b.example'\n"
    law = "[law]\nopt_out_line = true\n"
    (tmp_path / "settings.toml").write_text(f"default_mailbox = 'ada'\n{table}{two}{law}")
    settings = read_settings({"SEQUENCES_DATA_DIR": str(tmp_path)})
    lines = {box.name: box.sender.opt_out_lines for box in settings.mailboxes if box.sender}
    assert "rather not hear" in dict(lines["ada"])["en"] and lines["bob"] == ()
    (tmp_path / "settings.toml").write_text(law)
    of_environment = {"SEQUENCES_DATA_DIR": str(tmp_path), "SEQUENCES_SENDER": "Ada <a@b.example>"}
    sender = read_settings(of_environment).mailbox.sender
    assert sender is not None and sender.opt_out_lines


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('signature = "Hi {{firstname}}"', "no variables are filled in"),
        ('signature = "a\\u0007b"', "lines of plain text"),
        ('reply_to = "team"', "is not one plain e-mail address"),
        ('time_zone = "Paris"', "is not an IANA time zone"),
        ('plus_addresses = "yes"', "true or false"),
    ],
)
def test_what_cannot_be_is_told_with_its_line(tmp_path: Path, line: str, why: str) -> None:
    (tmp_path / "settings.toml").write_text(f"[mailboxes.ada]\nname = 'Ada'\naddress = 'a@b.example'\n{line}\n")
    with pytest.raises(SettingsError, match=why) as caught:
        read_settings({"SEQUENCES_DATA_DIR": str(tmp_path)})
    assert "settings.toml, line 4, mailboxes.ada." in caught.value.message


def test_without_a_word_about_it_everything_is_as_before(tmp_path: Path) -> None:
    settings = read_settings({"SEQUENCES_DATA_DIR": str(tmp_path), "SEQUENCES_SENDER": "Ada <ada@b.example>"})
    assert settings.mailbox.sender == Sender("ada@b.example", "Ada", "")
