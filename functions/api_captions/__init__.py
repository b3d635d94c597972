"""HTTP: captions, asked for and compared."""
