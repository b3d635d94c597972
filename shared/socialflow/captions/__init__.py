"""Captions: wishes for them, every version, and what a model is asked."""
