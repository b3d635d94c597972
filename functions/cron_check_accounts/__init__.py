"""A state of Hash Video: read all of a video once, for the digest of its content."""
