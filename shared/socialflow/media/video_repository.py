"""What a video's row has beside what every media item's has."""

from dataclasses import asdict
from typing import TYPE_CHECKING
from uuid import UUID

from socialflow.media.video.model import Clip
from socialflow.platform.database import Transaction

if TYPE_CHECKING:  # what hashes a video has no library of pictures
    from socialflow.media.fingerprint import Fingerprint

# Not the digest: it is of the same version, and may have been found by now.
_DESCRIBE = """
UPDATE {s}.media_items SET content_type = %(content_type)s, size = %(size)s, width = %(width)s, height = %(height)s,
       duration_ms = %(duration_ms)s, frame_rate = %(frame_rate)s, video_codec = %(video_codec)s,
       audio_codec = %(audio_codec)s, captured_at = %(captured_at)s, camera = %(camera)s,
       dhash = %(dhash)s::bit(64), blurhash = %(blurhash)s, colours = %(colours)s, colour_names = %(colour_names)s,
       inspections = 0
 WHERE id = %(id)s
"""
_PUT_SHA256 = """
UPDATE {s}.media_items SET sha256 = %(sha256)s, version = version + 1
 WHERE id = %(id)s AND sha256 IS NULL AND state <> 'deleted'
"""


def describe(tx: Transaction, media_id: UUID, clip: Clip, size: int, fingerprint: "Fingerprint") -> None:
    """Keep what was found out about a video."""
    tx.execute(_DESCRIBE, {"id": media_id, "size": size} | asdict(clip) | asdict(fingerprint))


def put_sha256(tx: Transaction, media_id: UUID, sha256: bytes) -> bool:
    """Keep the digest of a video's content; False where it is known, or the video deleted."""
    return tx.execute(_PUT_SHA256, {"id": media_id, "sha256": sha256}) == 1
