"""HTTP: Late's webhooks."""
