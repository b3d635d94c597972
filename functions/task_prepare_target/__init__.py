"""Publishing workflow: prepare one target."""
