"""Each day: what was left of deleted media items goes."""
