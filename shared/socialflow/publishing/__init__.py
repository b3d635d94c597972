"""Publishing: posts, their targets, and the ledger that makes each go out exactly once."""
