"""HTTP: connected accounts."""
