"""HTTP: connecting accounts by signing in at their networks."""
