"""Captions: wishes for them, every version, and the captioner behind LiteLLM."""
