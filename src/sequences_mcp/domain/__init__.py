"""Values only: what the product talks about, frozen, with no I/O, no clock and no randomness."""
