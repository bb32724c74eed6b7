"""Layer 3: blanks still to be filled in, in any script or disguise."""
