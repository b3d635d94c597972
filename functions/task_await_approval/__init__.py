"""Publishing workflow: park the token of a run that waits for an approval."""
