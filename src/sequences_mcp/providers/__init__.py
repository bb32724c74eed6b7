"""Where sequences run: what a provider can do, and an adapter for each vendor."""
