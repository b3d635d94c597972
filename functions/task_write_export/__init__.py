"""A state of Export Tenant."""
