"""A state of Ingest Media: open the review and park the task token."""
