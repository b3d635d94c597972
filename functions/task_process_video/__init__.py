"""A state of Ingest Media: inspect a video by ranges, make its stills and previews."""
