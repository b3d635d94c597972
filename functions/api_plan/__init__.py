"""HTTP: plans, usage, and buying."""
