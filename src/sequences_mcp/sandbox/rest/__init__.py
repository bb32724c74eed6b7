"""What the three APIs have in common: a call, a reply, a refusal, and how they become HTTP."""
