"""What a video may be, whatever a plan includes: more is refused in words before anything is decoded."""

MAX_SECONDS = 3_600
"""An hour; the longest that a network of ours takes is less."""
MAX_PIXELS = 8_192 * 4_320
"""Pixels of a frame: what "8K" means at its largest. One such frame takes 53 MB, or twice that in HDR."""
MAX_SIDE = 8_192
MAX_STREAMS = 32
"""Phones write up to ten: picture, sound, and tracks of where and how the phone was held."""
MAX_INDEX = 16 * 1024 * 1024
"""Bytes of the index (`moov`); an hour with sound takes five."""
MAX_ENTRIES = 1_500_000
"""Samples that the index may name, of all tracks: the decoder keeps 32 bytes for each. An hour has 600,000."""
MAX_FRAGMENTS = 20_000
"""Parts of a file that was written in parts: more than one for each fifth of a second of an hour."""

TYPES = frozenset({"video/mp4", "video/quicktime"})
VIDEO_CODECS = frozenset({"h264", "hevc", "av1", "vp9", "mpeg4", "prores", "mjpeg", "h263"})
"""What phones, screens, cameras and editors write: MPEG-4 and H.263 older ones, ProRes an iPhone for filming."""
AUDIO_CODECS = frozenset({"aac", "mp3", "alac", "opus", "ac3", "eac3", "amr_nb", "amr_wb", "flac"})
"""Beside every uncompressed one (`pcm_…`). Sound of another kind is left out of what is made from the video."""


def is_heard(codec: str) -> bool:
    """Tell whether a codec of sound is decoded."""
    return codec in AUDIO_CODECS or codec.startswith("pcm_")
