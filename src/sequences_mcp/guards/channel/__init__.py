"""Layer 5: length and form, channel by channel."""
