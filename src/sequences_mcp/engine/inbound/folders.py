"""The folders that this program appends to (drafts, sent mail): how they are recognised, and their flags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sequences_mcp.lazy_dataclasses import dataclass

if TYPE_CHECKING:
    from imapclient import IMAPClient

NO_FOLDER = frozenset({b"\\noselect", b"\\nonexistent"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecialFolder:
    """A folder for one use: how a server marks it (RFC 6154), and what mail programs call it where it does not.

    ``flags`` are set on what is appended.
    """

    mark: bytes
    flags: tuple[bytes, ...]
    names: frozenset[str]


DRAFTS = SpecialFolder(
    mark=b"\\drafts",
    flags=(b"\\Draft", b"\\Seen"),
    names=frozenset(
        {
            *("drafts", "draft", "entwürfe", "brouillons", "borradores", "bozze", "rascunhos", "concepten"),
            *(
                "utkast",
                "utkasty",
                "kladder",
                "luonnokset",
                "koncepty",
                "wersje robocze",
                "taslaklar",
                "черновики",
            ),
            *("чернетки", "下書き", "草稿", "草稿箱", "임시보관함", "πρόχειρα", "piszkozatok"),
        }
    ),
)
SENT = SpecialFolder(
    mark=b"\\sent",
    flags=(b"\\Seen",),
    names=frozenset(
        {
            *("sent", "sent items", "sent messages", "sent mail", "gesendet", "gesendete elemente", "envoyés"),
            *("gesendete objekte", "éléments envoyés", "messages envoyés", "enviados", "elementos enviados"),
            *("posta inviata", "inviata", "inviati", "itens enviados", "verzonden", "verzonden items", "wysłane"),
            *("elementy wysłane", "skickat", "skickade objekt", "sendt", "sendt post", "sendte elementer"),
            *(
                "lähetetyt",
                "odeslané",
                "отправленные",
                "надіслані",
                "送信済み",
                "已发送",
                "보낸편지함",
                "gönderilmiş",
            ),
        }
    ),
)


def find_folder(client: IMAPClient, wanted: SpecialFolder) -> str | None:
    """Return the folder that the server marks as the wanted one, else one with a usual name, or None."""
    usual = None
    for flags, delimiter, name in client.list_folders():
        marks = {bytes(flag).lower() for flag in flags}
        if marks & NO_FOLDER:
            continue
        if wanted.mark in marks:
            return str(name)
        last = str(name).rpartition(delimiter.decode() if delimiter else "/")[2]
        if usual is None and last.casefold() in wanted.names:
            usual = str(name)
    return usual
