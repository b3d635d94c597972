"""A file in the bucket as something that can be read and sought: by ranges, a few blocks in memory and none on disk."""

import io
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

BLOCK = 1024 * 1024
KEPT = 8
"""Blocks in memory. A player goes back and forth between picture and sound, which lie close to each other."""

Part = Callable[[int, int], bytes]
"""Returns the bytes from an offset on, as many as are asked for: they are there."""


class Readable(Protocol):
    """What a video is read from: a source, or any file that is open for reading."""

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes, none at the end."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to a place; return it."""

    def tell(self) -> int:
        """Return the place."""


class Source:
    """One version of an object, read by ranges.

    Whatever goes wrong on the way is kept as `failure`: the decoder that reads from here takes it for the end of the
    file, and nobody must be told that their file is damaged because the bucket did not answer.
    """

    def __init__(self, size: int, part: Part, *, block: int = BLOCK, kept: int = KEPT) -> None:
        """`part` fetches; `size` is the object's."""
        self.size = size
        self.fetched = 0
        """Bytes that were fetched so far."""
        self.failure: Exception | None = None
        self._part, self._block, self._kept = part, block, kept
        self._at = 0
        self._blocks: OrderedDict[int, bytes] = OrderedDict()

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes: up to the end of a block, none at the end of the file."""
        left = self.size - self._at
        if size < 0 or size > left:
            size = left
        if size <= 0:
            return b""
        number, offset = divmod(self._at, self._block)
        found = self._of(number)[offset : offset + size]
        self._at += len(found)
        return found

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to a place; beyond the end there is nothing to read."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        if start + offset < 0:
            raise ValueError("There is nothing before the beginning of a file")
        self._at = start + offset
        return self._at

    def tell(self) -> int:
        """Return the place."""
        return self._at

    def _of(self, number: int) -> bytes:
        if number in self._blocks:
            self._blocks.move_to_end(number)
            return self._blocks[number]
        start = number * self._block
        try:
            found = self._part(start, min(self._block, self.size - start))
        except Exception as error:
            self.failure = error
            raise
        self.fetched += len(found)
        self._blocks[number] = found
        while len(self._blocks) > self._kept:
            self._blocks.popitem(last=False)
        return found


def size_of(file: Readable) -> int:
    """Return how many bytes a file has, and stay where it is."""
    here = file.tell()
    size = file.seek(0, io.SEEK_END)
    file.seek(here)
    return size


def exactly(file: Readable, offset: int, size: int) -> bytes:
    """Return the bytes of a place; fewer where the file ends before."""
    file.seek(offset)
    pieces = []
    while size > 0 and (piece := file.read(size)):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)
