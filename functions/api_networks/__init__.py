"""HTTP: by which ways networks are reached."""
