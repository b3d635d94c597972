"""Billing: which plan a tenant pays for. Stripe has the truth; its messages are hints to read it again."""
