"""Media items: upload, inspection, derivatives, and where each stands."""
