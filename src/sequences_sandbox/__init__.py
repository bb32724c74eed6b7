"""The vendors' APIs on loopback, written from their documents, and the demo's stage."""
