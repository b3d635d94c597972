"""AI: what calls of models may cost and have cost, and the one way to a model."""
