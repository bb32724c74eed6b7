"""The rules of the guards, one or two files a layer; a rule's id is its layer and its name."""
