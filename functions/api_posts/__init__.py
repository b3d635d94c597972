"""HTTP: posts."""
