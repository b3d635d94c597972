"""A network is reached by another way: what was prepared for the old one and not attempted is prepared anew.

What was attempted keeps the way of its first attempt: that is where the evidence is. The claim asks for the way that it
was prepared for, so that whoever comes in between publishes nothing by the other.
"""

from datetime import datetime
from uuid import UUID

from socialflow.platform import work
from socialflow.platform.database import Transaction
from socialflow.publishing.progress import KIND

_VOID = """
UPDATE {s}.targets
   SET state = 'scheduled', prepared = NULL, prepared_hash = NULL, tries = 0, next_at = NULL, lease = NULL,
       updated_at = now()
 WHERE network = %(network)s AND attempt = 0 AND state IN ('preparing', 'prepared')
RETURNING post_id
"""


def reroute(tx: Transaction, network: str, *, at: datetime) -> int:
    """Send what is prepared and was not attempted back to be prepared; return how many posts that concerns."""
    posts: set[UUID] = {row["post_id"] for row in tx.all(dict, _VOID, {"network": network})}
    for post_id in sorted(posts):
        work.schedule(tx, KIND, post_id, wake_at=at)
    return len(posts)
