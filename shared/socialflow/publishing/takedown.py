"""A published target is deleted at its network. Its receipt stays; it never goes out again."""

from datetime import datetime
from uuid import UUID

from socialflow.platform.database import Transaction
from socialflow.publishing import repository
from socialflow.publishing.asking import target_of
from socialflow.publishing.events import PostTakenDown
from socialflow.publishing.model import Target
from socialflow.publishing.refusals import NothingToDelete


def begin(tx: Transaction, post_id: UUID, target_id: UUID) -> Target:
    """Return a target that is to be deleted there; raises `UnknownPost`, `UnknownTarget`, `NothingToDelete`.

    One that was deleted before is returned too: asking again is harmless.
    """
    _, target = target_of(tx, post_id, target_id)
    if target.state != "published" or target.remote_id is None:
        raise NothingToDelete(f"The target is {target.state}: only what is out can be deleted.", state=target.state)
    return target


def finish(tx: Transaction, target: Target, *, by: UUID, at: datetime) -> None:
    """Write that it is there no more; the first to say so stays its author."""
    if repository.taken_down(tx, target.id, by=by, at=at):
        tx.emit(PostTakenDown(subject_id=target.post_id, target_id=target.id, network=target.network, by=by))
