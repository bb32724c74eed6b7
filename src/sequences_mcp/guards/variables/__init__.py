"""Layer 2: exactly the nine variables, byte for byte.

https://docs.kalent.ai, "Create sequence blueprint": any other name between double braces is a validation_error.
"""
