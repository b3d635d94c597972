"""A state of Render Media: a video, converted to what a network takes."""
