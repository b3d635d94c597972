"""A state of Ingest Media: inspect the file, pin its version, make the derivatives."""
