"""The product's verbs. One file a verb; a file sees Protocols and pure rooms, never a database or a network."""
