"""What happens to a video beside what happens to every media item: it takes longer, and is hashed afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from socialflow.entitlements.model import limit, plan_of
from socialflow.media import events, repository, service, video_repository
from socialflow.media.model import Derivative, MediaItem, State, UnfitFile
from socialflow.media.video.foresight import words
from socialflow.media.video.model import Clip
from socialflow.platform import work
from socialflow.platform.database import Transaction

if TYPE_CHECKING:  # what hashes a video has no library of pictures
    from socialflow.media.fingerprint import Fingerprint

PROCESSING = timedelta(seconds=330)
"""How long a run that processes a video may be silent: longer than its function is given."""
HASHING = timedelta(seconds=960)
"""The same of a run that hashes one."""

_GONE = (State.DELETED, State.REFUSED)


@dataclass(frozen=True)
class ToHash:
    """Where a started run finds its video: `outcome` is None where it is to be hashed now."""

    item: MediaItem | None
    outcome: Literal["settled", "superseded"] | None


def check_length(seconds: float, plan: str) -> None:
    """Raise `UnfitFile` where a video is longer than a plan takes."""
    most = limit(plan, "video_seconds")
    if most is not None and round(seconds) > most:
        detail = f"The video is {words(seconds)} long, and the plan {plan_of(plan).title} takes {words(most)}."
        raise UnfitFile("too-long", f"{detail} Shorten it, or have an owner choose a larger plan.")


def processing(tx: Transaction, media_id: UUID, *, run: int, at: datetime) -> bool:
    """Note that the video was found to be one, and is being looked at; False where the run is superseded."""
    if not service.processing(tx, media_id, run=run, at=at):
        return False
    return work.postpone(tx, "ingest", media_id, run=run, wake_at=at + PROCESSING)


def describe(  # noqa: PLR0913 # what is kept, and the run that has found it out
    tx: Transaction, media_id: UUID, clip: Clip, size: int, fingerprint: "Fingerprint", *, run: int, at: datetime
) -> bool:
    """Keep what was found out; False where the run is superseded."""
    if service.alive(tx, media_id, run=run, at=at) is None:
        return False
    video_repository.describe(tx, media_id, clip, size, fingerprint)
    return work.postpone(tx, "ingest", media_id, run=run, wake_at=at + PROCESSING)


def processed(tx: Transaction, media_id: UUID, made: Sequence[Derivative], *, run: int, at: datetime) -> bool:
    """Keep the derivatives, and ask for the digest, which nobody waits for. False where the run is superseded."""
    if not service.processed(tx, media_id, made, run=run, at=at):
        return False
    item = repository.find(tx, media_id)
    if item is not None and item.sha256 is None:
        work.schedule(tx, "digest", media_id, wake_at=at)
    return True


def stand(tx: Transaction, media_id: UUID, *, run: int, at: datetime) -> ToHash:
    """Tell a started run whether its video is still to be hashed."""
    item = repository.lock(tx, media_id)
    if not work.postpone(tx, "digest", media_id, run=run, wake_at=at + HASHING):
        return ToHash(item, "superseded")
    if item is None or item.sha256 is not None or item.object_version is None or item.state in _GONE:
        work.finish(tx, "digest", media_id, run=run)
        return ToHash(item, "settled")
    return ToHash(item, None)


def hashed(tx: Transaction, media_id: UUID, sha256: bytes, *, run: int) -> bool:
    """Keep the digest of the inspected version; False where the run is superseded."""
    repository.lock(tx, media_id)
    if not work.finish(tx, "digest", media_id, run=run):
        return False
    if video_repository.put_sha256(tx, media_id, sha256):
        tx.emit(events.MediaHashed(subject_id=media_id, sha256=sha256.hex()))
    return True


def lost(tx: Transaction, media_id: UUID, *, run: int) -> bool:
    """Give the digest up, as there is nothing to read any more; False where the run is superseded."""
    repository.lock(tx, media_id)
    return work.finish(tx, "digest", media_id, run=run)
