"""Publishing workflow: publish one target."""
