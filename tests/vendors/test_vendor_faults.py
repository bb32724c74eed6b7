"""Every write of every vendor against every fault: the right outcome, and never a second write without a key."""

from __future__ import annotations

import pytest
from tests.vendors.vendor_calls import READS, WRITES, FakeClock, VendorCall, answered
from tests.vendors.vendor_faults import FURTHER, THE_24, UNKNOWN, VendorFault
from tests.world.fake_vendor import FakeVendor, reply, serving

from sequences_mcp.errors import OutcomeUnknownError, SequencesError

ALL = (*THE_24, *FURTHER)
ONCE = [call for call in WRITES if not call.is_keyed]
PASSING_AND_UNKNOWN = [fault for fault in ALL if fault.outcome == UNKNOWN and fault.is_passing]
KEYED = [call for call in WRITES if call.is_keyed]


def case_name(value: object) -> str:
    return str(getattr(value, "name", value))


async def failure_of(call: VendorCall, fault: VendorFault) -> tuple[SequencesError, FakeVendor, FakeClock]:
    clock = FakeClock()
    async with fault.scene() as vendor:
        to = call.transport(vendor.url, clock=clock, timing=fault.timing)
        with pytest.raises(SequencesError) as caught:
            await call.make(to)
        return caught.value, vendor, clock


def test_there_are_24_faults() -> None:
    assert len({fault.name for fault in THE_24}) == 24


@pytest.mark.parametrize("fault", ALL, ids=case_name)
@pytest.mark.parametrize("call", ONCE, ids=case_name)
async def test_a_write_without_a_key_has_the_right_outcome_and_is_sent_once(
    call: VendorCall, fault: VendorFault
) -> None:
    error, vendor, clock = await failure_of(call, fault)
    assert (error.outcome == "unknown") == (fault.outcome == UNKNOWN), error.data
    assert error.code in fault.codes
    assert vendor.connections <= 1
    assert clock.slept == []
    if fault.outcome == UNKNOWN:
        assert error.code == "outcome_unknown"
        assert error.data["safe_to_call_again"] is False
        assert not error.retryable
        assert error.next_step.startswith("Do not call this again.")


@pytest.mark.parametrize("fault", ALL, ids=case_name)
@pytest.mark.parametrize("call", KEYED, ids=case_name)
async def test_a_write_with_a_key_is_repeated_with_the_same_key_and_body_only(
    call: VendorCall, fault: VendorFault
) -> None:
    error, vendor, clock = await failure_of(call, fault)
    assert (error.outcome == "unknown") == (fault.outcome == UNKNOWN), error.data
    assert error.code in fault.codes
    assert len(clock.slept) == (2 if fault.is_passing else 0)
    assert vendor.connections <= 3
    assert len({one.body for one in vendor.seen}) <= 1


@pytest.mark.parametrize("fault", ALL, ids=case_name)
async def test_a_read_is_repeated_where_that_may_help_and_never_ends_in_an_unknown(fault: VendorFault) -> None:
    call = next(one for one in READS if one.name == "topo get_sequence")
    error, _, clock = await failure_of(call, fault)
    assert error.outcome != "unknown"
    assert len(clock.slept) == (2 if fault.is_passing else 0)


@pytest.mark.parametrize("fault", PASSING_AND_UNKNOWN, ids=case_name)
async def test_a_repeat_with_the_key_finds_what_the_lost_attempt_did(fault: VendorFault) -> None:
    async with fault.scene() as vendor:
        vendor.script.append(answered("clarky", "start"))
        began = await KEYED[0].make(KEYED[0].transport(vendor.url, timing=fault.timing))
    assert began == "clarky:e_01HEXAMPLE"


async def test_a_refusal_after_an_attempt_that_may_have_acted_does_not_make_it_not_done() -> None:
    async with serving(reply(500, {}), reply(401, {})) as vendor:
        with pytest.raises(OutcomeUnknownError) as caught:
            await KEYED[0].make(KEYED[0].transport(vendor.url))
    assert caught.value.data["attempts"] == 2
    assert caught.value.data["vendor_status"] == 401


@pytest.mark.parametrize("call", [*WRITES, *READS], ids=case_name)
async def test_a_documented_reply_is_a_success(call: VendorCall) -> None:
    async with serving(answered(call.vendor, call.reply)) as vendor:
        await call.make(call.transport(vendor.url))  # which raises for what does not say that it is done
        assert len(vendor.seen) == 1
