"""The corpus of what comes in, several hundred e-mails of many systems and languages: what they are told to be.

A bounce that is called soft where it is hard costs an e-mail or two; one that is called hard where it is not costs
a contact. So the first has a share that is allowed, and the second none.
"""

from __future__ import annotations

from tests.world.mail_corpus import SENT, CorpusItem, bounces

from sequences_mcp.engine.inbound.kind import OF_MAILERS, InboundKind, judge_inbound
from sequences_mcp.engine.inbound.parsing import parse_inbound

HARD, DELAYED = InboundKind.HARD_BOUNCE, InboundKind.DELAYED
OF_PEOPLE = frozenset({InboundKind.REPLY, InboundKind.OPT_OUT})


def kind_of(item: CorpusItem) -> InboundKind:
    return judge_inbound(parse_inbound(item.data)).kind


RETURNED = [item for item in bounces() if item.kind in OF_MAILERS]


def test_there_are_reports_of_many_systems_and_languages() -> None:
    assert len(RETURNED) >= 300
    assert len({item.name.partition(",")[0].partition(":")[0] for item in RETURNED}) >= 60
    assert len({item.data for item in bounces()}) == len(bounces())


def test_nearly_no_report_is_taken_for_a_person() -> None:
    lost = [item.name for item in RETURNED if kind_of(item) in OF_PEOPLE]
    assert len(lost) <= 0.03 * len(RETURNED), lost


def test_nearly_no_report_is_taken_for_some_automatic_reply() -> None:
    lost = [item.name for item in RETURNED if kind_of(item) not in OF_MAILERS]
    assert len(lost) <= 0.03 * len(RETURNED), lost


def test_no_address_is_given_up_that_may_exist() -> None:
    assert [item.name for item in bounces() if item.kind is not HARD and kind_of(item) is HARD] == []


def test_most_addresses_that_do_not_exist_are_known_to_be_gone() -> None:
    hard = [item for item in RETURNED if item.kind is HARD]
    missed = [item.name for item in hard if kind_of(item) is not HARD]
    assert len(missed) <= 0.1 * len(hard), missed


def test_a_notice_that_something_is_late_is_no_bounce() -> None:
    late = [item for item in RETURNED if item.kind is DELAYED]
    assert [item.name for item in late if kind_of(item) is not DELAYED] == []


def test_a_report_names_our_message_or_at_least_our_recipient() -> None:
    ours = SENT.message_id.strip("<>")
    for item in RETURNED:
        message = parse_inbound(item.data)
        if item.names_ours:
            assert ours in message.own_ids, item.name
        assert SENT.recipient in (judge_inbound(message).addresses or message.addresses), item.name
