"""Brings frames into shape: upright, in a size, in ordinary colours, one after the other as they are decoded."""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

from av.filter import Graph
from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame

from socialflow.media.model import UnfitFile
from socialflow.media.video import colours

_LEAST_ASPECT, _MOST_ASPECT = Fraction(1, 4), Fraction(4)
_MATRIX = struct.Struct("=9i")

Size = tuple[int, int]
Fit = Callable[[int, int], Size]
"""Returns the size that a picture of a size is given; sizes are as a person sees them."""


@dataclass(frozen=True)
class Turn:
    """How a stored frame is turned to be seen: its rows into columns first, then mirrored."""

    swaps: bool = False
    flips_across: bool = False
    flips_down: bool = False

    @property
    def filters(self) -> list[tuple[str, str]]:
        """The filters that do it."""
        if self.swaps:
            kinds = {
                (False, False): "cclock_flip",
                (True, False): "clock",
                (False, True): "cclock",
                (True, True): "clock_flip",
            }
            return [("transpose", kinds[self.flips_across, self.flips_down])]
        return [("hflip", "")] * self.flips_across + [("vflip", "")] * self.flips_down


def turn_of(frame: VideoFrame) -> Turn:
    """Return how a frame is to be turned, by the matrix that the file gives it; the nearest right angle counts."""
    found = frame.side_data.get(Type.DISPLAYMATRIX)  # type: ignore[call-overload] # what `__getitem__` takes
    if found is None or len(bytes(found)) < _MATRIX.size:
        return Turn()
    a, b, _, c, d, *_ = _MATRIX.unpack(bytes(found)[: _MATRIX.size])
    # A point (x, y) of the stored picture is seen at (a·x + c·y, b·x + d·y).
    if abs(b) + abs(c) > abs(a) + abs(d):
        return Turn(swaps=True, flips_across=c < 0, flips_down=b < 0)
    return Turn(flips_across=a < 0, flips_down=d < 0)


def aspect_of(aspect: Fraction | None) -> Fraction:
    """Return how wide a stored pixel is seen, with nonsense taken for square."""
    return aspect if aspect and _LEAST_ASPECT <= aspect <= _MOST_ASPECT else Fraction(1)


def shown_size(width: int, height: int, turn: Turn, aspect: Fraction) -> Size:
    """Return the size that a person sees."""
    width = max(1, round(width * aspect))
    return (height, width) if turn.swaps else (width, height)


def within(most_width: int, most_height: int, *, even: bool = False) -> Fit:
    """Return a fit that keeps the shape, enlarges nothing, and has even sides where the codec needs them."""

    def fit(width: int, height: int) -> Size:
        scale = min(1.0, most_width / width, most_height / height)
        step = 2 if even else 1
        sides = (max(step, round(side * scale / step) * step) for side in (width, height))
        return next(sides), next(sides)

    return fit


@dataclass
class Shaper:
    """Shapes frames to what `fit` says of the first; a frame of another kind than the one before gets a new graph."""

    fit: Fit
    pixels: str
    aspect: Fraction = Fraction(1)
    size: Size | None = None
    """What every frame is given; known after the first."""
    turn: Turn | None = None
    """The file's, by the first frame. Asked of each, it would keep all of them in memory: side data point back."""
    _kind: tuple[object, ...] = ()
    _graph: Graph = field(default_factory=Graph)

    def shape(self, frame: VideoFrame) -> VideoFrame:
        """Return the frame in shape, at its own time."""
        turn = self.turn = self.turn or turn_of(frame)
        kind = (
            frame.width,
            frame.height,
            frame.format.name,
            frame.color_trc,
            frame.color_primaries,
            frame.colorspace,
            frame.color_range,
        )
        if kind != self._kind:
            seen = shown_size(frame.width, frame.height, turn, self.aspect)
            self.size = self.size or self.fit(*seen)
            self._graph, self._kind = self._built(frame, turn), kind
        self._graph.vpush(frame)
        shaped = self._graph.vpull()
        shaped.pts, shaped.time_base = frame.pts, frame.time_base
        return shaped

    def _built(self, frame: VideoFrame, turn: Turn) -> Graph:
        assert self.size is not None
        width, height = reversed(self.size) if turn.swaps else self.size
        graph = Graph()
        graph.threads = 1
        steps = [
            ("buffer", buffer_of(frame)),
            ("scale", f"{width}:{height}:flags=bicubic"),
            ("setsar", "1"),
            *turn.filters,
            *_ordinary(frame),
            ("format", self.pixels),
            ("buffersink", ""),
        ]
        graph.link_nodes(*(graph.add(name, args or None) for name, args in steps)).configure()
        return graph


def _ordinary(frame: VideoFrame) -> list[tuple[str, str]]:
    """Return the filters that bring the colours of a phone's HDR to those of an ordinary screen."""
    if colours.is_ordinary(frame.color_trc, frame.color_primaries):
        return []
    bt709 = "color_primaries=bt709:color_trc=bt709"
    return [
        ("format", "gbrp10le"),
        ("lut3d", f"file={colours.table(frame.color_trc, frame.color_primaries)}"),
        ("setparams", bt709),
        ("scale", "out_color_matrix=bt709:out_range=tv"),
    ]


def buffer_of(frame: VideoFrame) -> str:
    """Return what a graph is told of the frames that it is given."""
    return (
        f"video_size={frame.width}x{frame.height}:pix_fmt={frame.format.name}"
        f":time_base={frame.time_base or '1/1000'}:colorspace={frame.colorspace}:range={frame.color_range}"
    )


def check_frame(frame: VideoFrame, most_pixels: int) -> None:
    """Raise `UnfitFile` where a stream has grown in its middle."""
    if frame.width * frame.height > most_pixels:
        raise UnfitFile("too-many-pixels", "The picture of the video grows in its middle. Save it anew, upload that.")
