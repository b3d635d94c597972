-- What was imported is known again by what was asked, however many posts there are.
CREATE INDEX posts_by_request ON {s}.posts (request_sha256);
