"""The team of a tenant: members, their roles, and invitations."""
