"""Each hour: the posts of series that are due within a week are made."""
