"""HTTP: exports of the tenant."""
