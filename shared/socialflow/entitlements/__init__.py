"""Entitlements: what each plan includes, and the counters that keep a tenant within it.

Contexts may import it, as they do the platform: whoever makes a thing counts it, so that no second way in goes round.
"""
