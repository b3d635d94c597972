"""The stacks, and what runs them on one machine."""
