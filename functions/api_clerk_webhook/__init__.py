"""HTTP: Clerk's webhooks."""
