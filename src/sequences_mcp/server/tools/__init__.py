"""One tool, one file: arguments, hints, description and handler together. ``server.catalog`` lists them."""
