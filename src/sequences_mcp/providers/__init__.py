"""What is driven: the small Protocols of a provider, and the adapters of three vendors over one transport."""
