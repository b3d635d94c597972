"""Whether a rendering's media fit its network: how many, of which kinds, each by itself, and what is said of them."""

from collections.abc import Iterator
from dataclasses import replace

from socialflow.limits import videos
from socialflow.publishing.content import Library, Piece, Rendering
from socialflow.publishing.findings import Finding, error, warning
from socialflow.publishing.networks.limits import OWN, Limits

_OF_THE_FILE = frozenset({"type", "too-many-bytes"})
"""What is held against the file itself, where it goes out as it is."""
_REFUSED_THERE = frozenset({"ratio"})
"""What no network mends by itself: the post would be refused."""


def findings(rendering: Rendering, known: Limits, library: Library, pointer: str) -> Iterator[Finding]:
    """Return what is found of the media; `pointer` is where they are written."""
    yield from _together(rendering, known, library, pointer)
    for index, piece in enumerate(rendering.media):
        at = f"{pointer}/{index}"
        yield from _alone(piece, known, library, f"{at}/id")
        yield from _alt_text(piece.alt_text, known, f"{at}/alt_text")


def _together(rendering: Rendering, known: Limits, library: Library, pointer: str) -> Iterator[Finding]:
    network, most, count = known.network, known.posts.max_media, len(rendering.media)
    if known.posts.needs_media and not count:
        yield error(pointer, "needs-media", f"{network} takes no post of text alone.", "Add a picture or a video.")
    if count > most:
        words = f"{network} takes {most} media, the post has {count}."
        found = error(pointer, "too-many", words, f"Leave {count - most} out.", (most, count))
        yield replace(found, source=OWN) if "max_media_attachments" in known.own else found
    of_video = sum(1 for piece in rendering.media if library.kinds.get(piece.id) == "video")
    of_picture = sum(1 for piece in rendering.media if library.kinds.get(piece.id) in ("image", "animation"))
    if of_video and of_picture and not known.posts.mixes:
        words = f"{network} does not take pictures and videos in one post."
        yield error(pointer, "mixed-kinds", words, "Choose one kind for it, or make two posts.")
    taken = videos(network).max_count
    if of_video > taken:
        words = f"{network} takes {taken} video in a post, it has {of_video}."
        yield error(pointer, "too-many-videos", words, f"Leave {of_video - taken} out.", (taken, of_video))


def _alone(piece: Piece, known: Limits, library: Library, pointer: str) -> Iterator[Finding]:
    network, kind = known.network, library.kinds.get(piece.id)
    yield from _file(piece, known, library, pointer)
    if library.is_cut(piece):  # made by the network's limits
        return
    if kind == "animation":
        yield warning(
            pointer, "still-only", "It moves, and goes out as a still picture.", "Upload it as a video instead."
        )
    for verdict in library.verdicts.get((piece.id, network), ()):
        if verdict.code in _OF_THE_FILE:
            continue
        if not verdict.mendable:
            yield error(pointer, verdict.code, verdict.detail, "Choose another, or leave it out.")
            continue
        advice = (
            f"A rendition for {network} fits: POST /v1/media/{piece.id}/renditions makes it, then name it as"
            f" rendition_id under /variants/{network}/media."
        )
        if kind == "video" or verdict.code in _REFUSED_THERE:
            yield error(pointer, verdict.code, verdict.detail, advice)
            continue
        advice = f"It goes out as it is, and {network} may show it smaller or cut."
        yield warning(pointer, verdict.code, verdict.detail, advice)


def _file(piece: Piece, known: Limits, library: Library, pointer: str) -> Iterator[Finding]:
    """Hold what goes out as it is against what the network takes."""
    file, taken = library.file_of(piece), videos(known.network)
    if file is None:
        return
    is_video = library.kinds.get(piece.id) == "video"
    types = taken.types if is_video else known.media_types
    if file.content_type not in types:
        words = f"{known.network} does not take {file.content_type}."
        yield error(pointer, "type", words, f"It takes {', '.join(types)}.")
    most = taken.max_bytes if is_video else known.image_size_limit
    least = file.size if file.smallest is None else min(file.size, file.smallest)
    if least > most:
        words = f"The file has {least:,} bytes, {most:,} are taken."
        found = error(pointer, "too-many-bytes", words, "Upload a smaller one.", (most, least))
        yield replace(found, source=OWN) if "image_size_limit" in known.own and not is_video else found


def _alt_text(text: str, known: Limits, pointer: str) -> Iterator[Finding]:
    most, length = known.posts.max_alt_text, len(text)
    if most == 0:
        return
    if not text.strip():
        words = "It has no alt text: who cannot see it is told nothing."
        yield warning(pointer, "no-alt-text", words, "Say what it shows.")
    if most is not None and length > most:
        words = f"The alt text has {length:,} characters, {known.network} takes {most:,}."
        yield error(pointer, "too-long", words, f"Shorten it by {length - most:,}.", (most, length))
