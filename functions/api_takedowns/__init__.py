"""HTTP: deleting at its network what was published."""
