"""HTTP: media items."""
