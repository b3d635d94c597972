"""The boxes of an MP4 or QuickTime file, looked at before a decoder is: is it one, is it whole, is it bounded.

A decoder allocates what the index of a file asks for. A kilobyte can ask for gigabytes, or for a file of somebody
else's; both are refused here, by counting alone.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from socialflow.media.model import UnfitFile
from socialflow.media.video.limits import MAX_ENTRIES, MAX_FRAGMENTS, MAX_INDEX, MAX_STREAMS
from socialflow.media.video.source import Readable, exactly

_BEGINS = frozenset({b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"styp", b"uuid"})
_STILLS = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis"})
_HOLDS = frozenset({b"trak", b"mdia", b"minf", b"dinf", b"stbl", b"edts", b"traf"})
_PAYLOAD = frozenset({b"mdat", b"free", b"skip", b"wide"})
_TABLES = frozenset({b"stts", b"ctts", b"stsc", b"stsz", b"stz2", b"stco", b"co64", b"elst", b"dref", b"trun"})
# A decoder finds a box wherever it is, in a title or in a codec's settings too: there nobody else writes these.
_HIDDEN = re.compile(
    b"(....)(?:" + b"|".join(sorted(_TABLES | _HOLDS | {b"moov", b"moof", b"cmov", b"rmra"})) + b")", re.DOTALL
)
_MAX_DEPTH = 8
_LEAST_PACKET = 160
"""Samples of sound that the decoder takes for one entry of its index at the least, where they are uncompressed."""


@dataclass(frozen=True)
class Layout:
    """What the boxes tell."""

    is_quicktime: bool
    has_fragments: bool
    index: int
    """Bytes of the index."""


@dataclass(frozen=True)
class _Box:
    kind: bytes
    body: bytes


@dataclass(frozen=True)
class _Place:
    kind: bytes
    start: int
    """Where the body begins."""
    end: int


def inspect(file: Readable, size: int) -> Layout:
    """Return what the boxes tell of a file of a size; raises `UnfitFile` for what no decoder should be given."""
    brand, index, entries, fragments = b"", None, 0, 0
    for place in _places(file, size):
        if place.kind == b"ftyp":
            brand = exactly(file, place.start, 4)
            if brand in _STILLS:
                raise UnfitFile(
                    "not-a-video", "This is a picture and no video, whatever its name says. Upload a video."
                )
        elif place.kind == b"moov" and index is None:
            index = place.end - place.start
            entries += _entries(_loaded(file, place))
        elif place.kind == b"moof":
            fragments += 1
            entries += _of_fragment(_loaded(file, place))
        elif place.kind not in _PAYLOAD and place.end - place.start > MAX_INDEX:
            raise _too_complex()
        if entries > MAX_ENTRIES or fragments > MAX_FRAGMENTS:
            raise _too_complex()
    if index is None:
        raise UnfitFile(
            "incomplete", "The video has no index: its recording or its upload was cut off. Save it anew, upload that."
        )
    return Layout(brand in (b"qt  ", b""), fragments > 0, index)


def _places(file: Readable, size: int) -> Iterator[_Place]:
    """Yield the outermost boxes; raises where the first is none of this format, or the last is cut off."""
    at = 0
    while at < size:
        head = exactly(file, at, 16)
        if len(head) < 8:
            raise _incomplete()
        length, kind = struct.unpack(">I4s", head[:8])
        start = at + 8
        if length == 1 and len(head) == 16:
            length, start = struct.unpack(">Q", head[8:])[0], at + 16
        end = size if length == 0 else at + length
        if at == 0 and kind not in _BEGINS:
            raise UnfitFile(
                "not-a-video", "This is not an MP4 or QuickTime video, whatever its name says. Upload a video."
            )
        if end < start:
            raise _damaged()
        if end > size:
            raise _incomplete()
        yield _Place(kind, start, end)
        at = end


def _loaded(file: Readable, place: _Place) -> _Box:
    size = place.end - place.start
    if size > MAX_INDEX:
        raise _too_complex()
    return _Box(place.kind, exactly(file, place.start, size))


def _inner(body: bytes, at: int = 0) -> Iterator[_Box]:
    while at + 8 <= len(body):
        length, kind = struct.unpack_from(">I4s", body, at)
        start = at + 8
        if length == 1 and at + 16 <= len(body):
            length, start = struct.unpack_from(">Q", body, at + 8)[0], at + 16
        end = len(body) if length == 0 else at + length
        if end < start or end > len(body):
            return  # four zero bytes may end a list, and a decoder stops at nonsense too
        yield _Box(kind, body[start:end])
        at = end


def _deep(box: _Box, depth: int = 0) -> Iterator[_Box]:
    """Yield the boxes inside a box that hold no others, at any depth."""
    if depth > _MAX_DEPTH:
        raise _too_complex()
    for inner in _inner(box.body):
        if inner.kind in _HOLDS:
            yield from _deep(inner, depth + 1)
        else:
            _check_hiding(inner)
            yield inner


def _check_hiding(box: _Box) -> None:
    if box.kind in (b"cmov", b"rmra"):
        raise UnfitFile(
            "refers-elsewhere", "The video's index is packed or elsewhere. Export it as a movie of its own."
        )
    if box.kind in _TABLES:
        return
    for found in _HIDDEN.finditer(box.body):
        length = int.from_bytes(found[1], "big")
        if length <= 1 or 8 <= length <= len(box.body) - found.start():
            raise _damaged()


def _entries(index: _Box) -> int:
    """Count what the decoder's own index will have; raises for an index that refers elsewhere or hides something."""
    tracks = 0
    entries = 0
    for box in _inner(index.body):
        if box.kind == b"trak":
            tracks += 1
            entries += _of_track(list(_deep(box)))
        else:
            _check_hiding(box)
        if tracks > MAX_STREAMS or entries > MAX_ENTRIES:
            raise _too_complex()
    return entries


def _of_track(boxes: list[_Box]) -> int:
    tables = [box for box in boxes if box.kind in _TABLES]
    named = {table.kind: table.body for table in tables}
    if len(named) < len(tables):
        raise _damaged()  # which of two would count?
    _check_references(named.get(b"dref", b""))
    samples, is_fixed = _samples(named)
    times = _table(named.get(b"stts", b""), 2)
    chunks = max(_count(named.get(b"stco", b"")), _count(named.get(b"co64", b"")))
    stored = chunks + _in_chunks(named.get(b"stsc", b""), chunks)
    shifted = sum(count for count, _ in _table(named.get(b"ctts", b""), 2))
    edits = max(1, _count(named.get(b"elst", b"")))
    if is_fixed and _is_sound(boxes) and len(times) == 1 and times[0][1] == 1:
        # Uncompressed: each sample is one of 48,000 a second, and the decoder takes them by the packet.
        return shifted + edits * (chunks + stored // _LEAST_PACKET)
    return edits * max(samples, sum(count for count, _ in times), stored, shifted)


def _is_sound(boxes: list[_Box]) -> bool:
    kinds = {box.body[8:12] for box in boxes if box.kind == b"hdlr"}
    return b"soun" in kinds and not any(b"vide" in box.body for box in boxes if box.kind not in _TABLES)


def _samples(boxes: dict[bytes, bytes]) -> tuple[int, bool]:
    """Return how many samples a track has, and whether all are of one size."""
    body = boxes.get(b"stsz", b"")
    if len(body) >= 12:
        size, count = struct.unpack_from(">II", body, 4)
        return count, size > 0
    return (struct.unpack_from(">I", boxes[b"stz2"], 8)[0] if len(boxes.get(b"stz2", b"")) >= 12 else 0), False


def _in_chunks(body: bytes, chunks: int) -> int:
    """Return how many samples the chunks hold, by the runs of chunks that hold as many as each other."""
    runs = _table(body, 3)
    total = 0
    for number, (first, each, _) in enumerate(runs):
        last = runs[number + 1][0] if number + 1 < len(runs) else chunks + 1
        total += max(0, min(last, chunks + 1) - first) * each
    return total


def _check_references(body: bytes) -> None:
    """Raise where a track's data is in another file: entries say by their lowest flag that it is in this one."""
    for entry in _inner(body, 8):
        is_here = len(entry.body) >= 4 and entry.body[3] & 1
        if not is_here and len(entry.body) > 4:
            raise UnfitFile(
                "refers-elsewhere",
                "The video refers to another file. Export it as a movie of its own, and upload that.",
            )


def _of_fragment(fragment: _Box) -> int:
    return sum(_count(box.body) for box in _deep(fragment) if box.kind == b"trun")


def _count(body: bytes) -> int:
    """Return the number of entries that a table announces."""
    found: int = struct.unpack_from(">I", body, 4)[0] if len(body) >= 8 else 0
    return found


def _table(body: bytes, columns: int) -> list[tuple[int, ...]]:
    """Return the rows of a table of numbers: those announced, as far as they are there."""
    width = 4 * columns
    rows = max(0, min(_count(body), (len(body) - 8) // width))
    return list(struct.iter_unpack(f">{columns}I", body[8 : 8 + rows * width]))


def _incomplete() -> UnfitFile:
    return UnfitFile("incomplete", "The video ends in the middle: a part of the file is missing. Upload it again.")


def _damaged() -> UnfitFile:
    return UnfitFile("damaged", "The video is damaged. Open it, save it anew, and upload that.")


def _too_complex() -> UnfitFile:
    return UnfitFile("too-complex", "The video's index names more than can be read. Export it anew and upload that.")
