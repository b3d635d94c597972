"""HTTP: members and invitations."""
