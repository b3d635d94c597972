"""Exports: everything that a tenant has in one archive, and the way back in."""
