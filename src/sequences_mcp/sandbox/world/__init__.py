"""What exists behind the three APIs: frozen states, and pure functions from one state to the next."""
