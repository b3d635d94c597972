"""A media item was deleted: its objects go."""
