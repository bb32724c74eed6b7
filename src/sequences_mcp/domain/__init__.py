"""The values of the product: frozen, and pure functions of them. No I/O, no clock, no randomness."""
