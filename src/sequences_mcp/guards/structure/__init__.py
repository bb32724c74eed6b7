"""Layer 1: what the fields of a step, and the steps of a blueprint, must mean together."""
