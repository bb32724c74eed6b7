"""Where a person approves or rejects: terminal, page and panel, and the presentation of a plan that they share."""
