"""HTTP: uploads and media items."""
