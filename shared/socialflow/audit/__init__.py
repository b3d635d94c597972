"""The audit: who changed what, append-only and chained by hashes. Triggers write it; here it is read and verified."""
