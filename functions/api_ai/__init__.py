"""HTTP: models, keys of the tenant's own, and what both have cost."""
