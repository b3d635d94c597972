"""Who of ours may look into a tenant."""
