"""Publishing workflow: open a post."""
