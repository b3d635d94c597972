"""A state of Render Media: a picture, cut and saved as a network takes it."""
