"""What each Lambda layer installs, and how layers and functions are packed without Docker."""
