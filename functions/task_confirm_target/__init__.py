"""Publishing workflow: find out what became of an attempt."""
