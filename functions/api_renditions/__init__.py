"""HTTP: media items as a network takes them."""
