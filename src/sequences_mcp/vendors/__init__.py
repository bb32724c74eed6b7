"""The vendors as providers: one HTTP transport, pacing and error reading for all, one folder for each vendor."""
