"""A state of Ingest Media: read what was decided, and end the media item's workflow by it."""
