"""HTTP: the queue of reviews, and the decision of each."""
