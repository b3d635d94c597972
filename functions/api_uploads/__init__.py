"""HTTP: uploads."""
