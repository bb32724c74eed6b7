"""Replies in ten languages, as seven mail programs quote what they answer, and opt-outs as people write them."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from tests.world.inbound_mail import Sent, reply

# Language → what somebody answers, and the line by which clients of that language introduce the quotation.
ANSWERS = {
    "English": (
        "Thanks Ada, that sounds interesting. Could you tell me more about the team?",
        "On Mon, 23 Nov 2026 at 09:00, Ada Lovelace <ada@example.com> wrote:",
    ),
    "German": (
        "Danke, das klingt spannend. Wann passt Ihnen ein Gespräch?",
        "Am Mo., 23. Nov. 2026 um 09:00 Uhr schrieb Ada Lovelace <ada@example.com>:",
    ),
    "French": (
        "Bonjour Ada, cela m'intéresse. Quand pouvons-nous en parler ?",
        "Le lun. 23 nov. 2026 à 09:00, Ada Lovelace <ada@example.com> a écrit :",
    ),
    "Spanish": (
        "Hola Ada, me interesa. ¿Podemos hablar el martes?",
        "El lun, 23 nov 2026 a las 9:00, Ada Lovelace (<ada@example.com>) escribió:",
    ),
    "Italian": (
        "Buongiorno, sono interessato. Ci sentiamo martedì?",
        "Il giorno lun 23 nov 2026 alle ore 09:00 Ada Lovelace <ada@example.com> ha scritto:",
    ),
    "Portuguese": (
        "Olá Ada, tenho interesse. Podemos falar na terça?",
        "Ada Lovelace <ada@example.com> escreveu (segunda, 23/11/2026 à(s) 09:00):",
    ),
    "Dutch": (
        "Dag Ada, dat klinkt goed. Kunnen we dinsdag bellen?",
        "Op ma 23 nov 2026 om 09:00 schreef Ada Lovelace <ada@example.com>:",
    ),
    "Polish": (
        "Dzień dobry, chętnie porozmawiam. Czy pasuje wtorek?",
        "pon., 23 lis 2026 o 09:00 Ada Lovelace <ada@example.com> napisał(a):",
    ),
    "Swedish": (
        "Hej Ada, det låter intressant. Kan vi höras på tisdag?",
        "Den mån 23 nov. 2026 kl 09:00 skrev Ada Lovelace <ada@example.com>:",
    ),
    "Danish": (
        "Hej Ada, det lyder spændende. Kan vi tale sammen tirsdag?",
        "Den man. 23. nov. 2026 kl. 09.00 skrev Ada Lovelace <ada@example.com>:",
    ),
}
OURS = Sent(
    text=(
        "Hello Bob,\n\nI read about your work on compilers at Acme and wondered whether you would like to hear\n"
        "about a role in Lyon that needs exactly this. Would you have ten minutes next week?\n\n"
        "Best regards\nAda Lovelace\n\nIf you do not want to hear from me again, reply STOP or unsubscribe here."
    )
)


def styles(answer: str, introduction: str, sent: Sent = OURS) -> Iterator[tuple[str, bytes]]:
    """Yield an answer as each of seven mail programs writes it, with what it answers."""
    quoted = "\n".join(f"> {line}".rstrip() for line in sent.text.splitlines())
    block = f"From: Ada Lovelace <{sent.sender}>\nSent: Monday, 23 November\nTo: Bob\nSubject: {sent.subject}"
    wrapped = "\n".join(
        f"> {line[start : start + 40]}"
        for line in sent.text.splitlines()
        for start in range(0, max(len(line), 1), 40)
    )
    shown = escape(sent.text).replace("\n", "<br>")
    yield "Gmail", reply(sent, f"{answer}\n\n{introduction}\n\n{quoted}\n")
    yield "Thunderbird, below the quotation", reply(sent, f"{introduction}\n{quoted}\n\n{answer}\n")
    yield "Apple Mail", reply(sent, f"{answer}\n\n\n{introduction}\n\n{quoted.replace('> ', '> ', 1)}\n\n")
    yield "Outlook", reply(sent, f"{answer}\n\n{'_' * 32}\n{block}\n\n{sent.text}\n")
    yield (
        "Outlook for the web, in HTML alone",
        _html(sent, f"<div>{escape(answer)}</div><hr><div><b>From:</b> Ada<br></div><div>{shown}</div>"),
    )
    yield (
        "a phone that breaks lines",
        reply(sent, f"{answer}\n\n-- \nSent from my phone\n\n{introduction}\n{_broken(sent)}\n"),
    )
    yield "one that breaks words", reply(sent, f"{answer}\n\n{introduction}\n{wrapped}\n")


def _html(sent: Sent, html: str) -> bytes:
    whole = reply(sent, "x")
    head = whole.partition(b"\n\n")[0]
    return head.replace(b"text/plain", b"text/html") + b"\n\n" + f"<html><body>{html}</body></html>".encode()


def _broken(sent: Sent) -> str:
    """Return our text without marks, its lines broken anew."""
    words, lines = sent.text.split(), [""]
    for word in words:
        if len(lines[-1]) + len(word) > 34:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines)


OPT_OUTS = (
    "STOP", "Stop.", "unsubscribe", "Unsubscribe please", "Please remove me from your list.",
    "Hi Ada,\n\nplease take me off your mailing list.\n\nRegards\nBob",
    "Please don't contact me again.", "Do not email me again.", "Stop emailing me!", "I want to opt out.",
    "I no longer wish to hear from you.", "No more emails please.", "Leave me alone.",
    "Could you please remove my email address from your database? Thanks.",
    "Please delete my data.", "Bitte nehmen Sie mich aus Ihrem Verteiler.", "Abmelden",
    "Bitte keine weiteren Mails.", "Bitte schreiben Sie mir nicht mehr.", "Löschen Sie bitte meine Daten.",
    "Merci de me retirer de votre liste.", "Désabonner", "Merci de ne plus me contacter.", "Baja",
    "Por favor, elimínenme de su lista.", "No me escriba más.", "Cancellatemi dalla vostra lista, per favore.",
    "Non scrivetemi più.", "Por favor, remova-me da sua lista.", "Não me envie mais e-mails.", "Uitschrijven",
    "Verwijder mij uit uw lijst.", "Graag geen mails meer van u.", "Proszę usunąć mnie z listy.",
    "Nie chcę otrzymywać takich wiadomości.", "Ta bort mig från listan.", "Sluta mejla mig.",
    "Fjern mig fra jeres liste.", "Send mig ikke flere mails.", "Afmeld",
)  # fmt: skip

NO_OPT_OUTS = (
    "Can we stop by your office on Tuesday?", "Please don't stop writing, this is fun!",
    "How do candidates unsubscribe from your job alerts?", "I worked on the unsubscribe page at Acme for a year.",
    "Not interested, thanks.", "No thanks.", "Please don't contact me at work, use bob@home.example instead.",
    "Please do not email me before Monday, I am travelling.", "My last stop was Lyon, so this fits.",
    "Could you remove the second section from the description and send it again?", "Nein danke.",
    "Ich höre am Freitag bei Acme auf, danach gern.", "Non merci, je ne cherche pas.", "No me interesa, gracias.",
    "Das Abmelden beim jetzigen Arbeitgeber dauert drei Monate.", "Kun je me dinsdag ophalen van het station?",
    "Please stop the process with the other company first.", "I don't want to miss this!",
    "Opt for the second date.",
    "Please take my number off the profile and call 555 instead.",
)  # fmt: skip
