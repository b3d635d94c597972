"""Late."""
