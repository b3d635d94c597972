"""HTTP: the audit."""
