"""Search: what media items are like, as points in a model's space."""
