"""The description of a vendor that does not exist: it is planted beside the others by test_fifth_vendor."""

from __future__ import annotations

from sequences_mcp.vendors.description import VendorDescription, VendorSetting

DESCRIPTION = VendorDescription(
    name="pigeon",
    title="Pigeon",
    base_url="https://api.pigeon.example/v1",
    further_settings=(
        VendorSetting(
            key="loft_id",
            meaning="The loft its pigeons fly from.",
            expected="the id of a loft",
            in_terms="from the loft {}",
        ),
    ),
    course="its pigeons leave within the hour",
)
