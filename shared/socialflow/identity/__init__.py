"""Identity: who signs in, where they belong, and what their role may do."""
