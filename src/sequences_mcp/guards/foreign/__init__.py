"""Layer 4: other template languages, failed renders and what is left of drafting."""
