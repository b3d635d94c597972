"""What every context stands on: database, HTTP, settings, outbox, work."""
