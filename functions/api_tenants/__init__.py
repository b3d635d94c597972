"""HTTP: tenants."""
