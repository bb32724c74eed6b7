"""Layer 2: exactly the nine variables, byte for byte."""
