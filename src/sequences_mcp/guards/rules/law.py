"""What a first message needs by law, as ``law.toml`` has it by country: rules of the layer ``law``. Reminders.

An example is JSON: the country, the text, and what is known of the person. ``guards.law`` applies these rules,
which depend on who is written to.
"""

from __future__ import annotations

from sequences_mcp.domain.findings import Severity
from sequences_mcp.guards.rule import Rule

_TABLE = "law.toml, by country"

SENDER = Rule(
    id="law.sender",
    severity=Severity.WARNING,
    message="The first message does not say for whom it is written.",
    accept=(
        '{"country": "US", "text": "I hire for Example Ltd."}',
        '{"country": "US", "text": "EXAMPLE hires."}',
    ),
    reject=('{"country": "US", "text": "I have a role for you."}', '{"country": "FR", "text": "Un poste ?"}'),
    source=_TABLE,
    example="law",
)
POSTAL_ADDRESS = Rule(
    id="law.postal_address",
    severity=Severity.WARNING,
    message="The first message has no postal address.",
    accept=(
        '{"country": "US", "text": "Ada\\nExample Ltd\\n12 High St.\\nLondon"}',
        '{"country": "FR", "text": "Un poste ?"}',
    ),
    reject=('{"country": "US", "text": "Ada, Example Ltd, London"}',),
    source=_TABLE,
    example="law",
)
OPT_OUT = Rule(
    id="law.opt_out",
    severity=Severity.WARNING,
    message="The first message does not say how to be left in peace.",
    accept=(
        '{"country": "US", "text": "Reply \\"no thanks\\" and I will not write again."}',
        '{"country": "FR", "text": "Pour ne plus recevoir de message, répondez non."}',
    ),
    reject=('{"country": "US", "text": "Do not miss this."}', '{"country": "GB", "text": "Non-stop growth."}'),
    source=_TABLE,
    example="law",
)
SOURCE = Rule(
    id="law.source",
    severity=Severity.WARNING,
    message="The first message does not say where the person's data came from.",
    accept=(
        '{"country": "FR", "text": "J\'ai vu votre profil sur GitHub."}',
        '{"country": "GB", "text": "Your talk at PyCon UK was great.", "source": "PyCon UK"}',
        '{"country": "US", "text": "A role?"}',
    ),
    reject=(
        '{"country": "FR", "text": "Un poste ?"}',
        '{"country": "GB", "text": "A role?", "source": "PyCon UK"}',
    ),
    source=_TABLE,
    example="law",
)
CONSENT = Rule(
    id="law.consent",
    severity=Severity.ERROR,
    message="Consent is needed before the first message, and none is recorded for this person.",
    accept=(
        '{"country": "DE", "text": "Hallo", "consent": "web form, 2026-05-01"}',
        '{"country": "FR", "text": "?"}',
    ),
    reject=('{"country": "DE", "text": "Hallo"}', '{"country": "CA", "text": "Hello", "consent": ""}'),
    source=_TABLE,
    example="law",
)
CONSENT_RECORD = Rule(
    id="law.consent_record",
    severity=Severity.WARNING,
    message="Consent is needed; a person looks at what is recorded.",
    accept=('{"country": "FR", "text": "?", "consent": "web form"}', '{"country": "DE", "text": "Hallo"}'),
    reject=('{"country": "DE", "text": "Hallo", "consent": "web form, 2026-05-01"}',),
    source="ours: a model can save a record too",
    example="law",
)
COUNTRY = Rule(
    id="law.country",
    severity=Severity.WARNING,
    message="The person's country is not known.",
    accept=('{"country": "FR", "text": "?"}', '{"country": "US", "text": "?"}'),
    reject=('{"text": "?"}', '{"country": "BR", "text": "?"}'),
    source="ours: of the countries possible, the strictest is named",
    example="law",
)
