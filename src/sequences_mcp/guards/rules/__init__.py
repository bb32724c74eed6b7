"""The rules of the guards, a file or two a layer; the id of a rule is its layer and its name."""
