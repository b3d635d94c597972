"""HTTP: what models have cost."""
