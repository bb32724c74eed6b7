"""The views of results, one file a noun. Text written by strangers is in fields of its own."""
