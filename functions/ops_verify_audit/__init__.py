"""Operators: verify the audit."""
