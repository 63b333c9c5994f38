"""The first page: is everything connected, and what needs attention."""
