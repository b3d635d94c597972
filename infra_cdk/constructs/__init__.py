"""One construct for each capability; a default that every resource of a kind gets stands here once."""
