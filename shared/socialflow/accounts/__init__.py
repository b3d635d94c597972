"""Accounts: a team's accounts on the networks, with the tokens that it has entrusted to us."""
