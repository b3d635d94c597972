"""HTTP: messages of Stripe."""
