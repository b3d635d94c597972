"""Publishing workflow: settle a post."""
