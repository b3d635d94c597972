"""Tenants: companies, each with a schema and a role of its own."""
