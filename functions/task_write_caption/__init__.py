"""A state of Ingest Media: ask the captioner, and go on without it where it does not answer."""
