"""What is known of a video, and what a converted one is to be."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Clip:
    """What probing found out about a video; sizes are as a person sees them, `audio_codec` None: it is silent."""

    content_type: str
    width: int
    height: int
    duration_ms: int
    frame_rate: float | None
    video_codec: str
    audio_codec: str | None
    captured_at: datetime | None
    camera: str | None


@dataclass(frozen=True)
class VideoWanted:
    """What a converted video must fit into; a longer one is refused and not cut.

    `max_width` and `max_height` are of a picture that lies; a picture that stands is held against them turned.
    """

    max_width: int
    max_height: int
    max_seconds: float
    max_bytes: int
    max_frame_rate: float = 60.0
    audio: bool = True


@dataclass(frozen=True)
class Transcoded:
    """A converted video: an H.264 MP4 with AAC or without sound."""

    width: int
    height: int
    duration_ms: int
    size: int
    frame_rate: float
    has_audio: bool
    content_type: str = "video/mp4"
