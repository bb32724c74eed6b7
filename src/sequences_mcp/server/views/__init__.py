"""Results as a model sees them, one file a noun. Text written by strangers has fields of its own."""
