"""The page about the vendors and the clients name the same endpoints."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
from tests.vendors.vendor_calls import CLIENTS, READS, WRITES, VendorCall, answered
from tests.world.fake_vendor import serving

PAGE = (Path(__file__).parents[2] / "docs" / "providers.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (`(?:GET|POST|PATCH) [^|]*) \| ((?:`\w+\.\w+`(?:, )?)+) \|", PAGE, re.MULTILINE)


def methods_of(vendor: str) -> set[str]:
    """Return the public methods of a vendor's client, as the page names them."""
    make = CLIENTS[vendor][1]
    names = (name for name, _ in inspect.getmembers(make, inspect.iscoroutinefunction) if not name.startswith("_"))
    return {f"{getattr(make, '__name__', vendor)}.{name}" for name in names}


@pytest.mark.parametrize("vendor", CLIENTS)
def test_every_method_is_on_the_page_and_every_method_on_the_page_exists(vendor: str) -> None:
    title = CLIENTS[vendor][0].title
    assert methods_of(vendor) == set(re.findall(rf"`({title}Client\.\w+)`", PAGE))


@pytest.mark.parametrize("call", [*READS, *WRITES], ids=lambda call: call.name)
async def test_a_method_calls_the_endpoint_the_page_gives_for_it(call: VendorCall) -> None:
    async with serving(answered(call.vendor, call.reply)) as vendor:
        await call.make(call.transport(vendor.url))
        seen = vendor.seen[0]
    path = re.sub(r"/(?:[\w-]*\d[\w-]*)(?=/|$)", "/{id}", seen.target.partition("?")[0].replace("/v1/", "/v~/"))
    shown = f"`{seen.method} {path.replace('/v~/', '/v1/')}`"
    assert any(shown in endpoint for endpoint, _ in ROWS), shown


def test_the_page_names_every_setting_of_an_address_and_a_key() -> None:
    assert all(vendor.key_setting in PAGE for vendor, _ in CLIENTS.values())
    assert all(vendor.base_url in PAGE for vendor, _ in CLIENTS.values())
