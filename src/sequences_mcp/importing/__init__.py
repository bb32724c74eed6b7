"""Files with people: bytes in; columns, rows and what is wrong with them out. Nothing here is stored."""
