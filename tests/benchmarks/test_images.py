"""Derivatives against sharp's: processor time, memory and quality on the same files, each in a process of its own.

The files are grainy mosaics of the demo's photos. sharp makes four derivatives, by the first design (a clone for each)
and by its own best (one decode); we make five, inspect the file first and take its hashes and colours. Quality is the
signal-to-noise ratio of the luma, held against the picture resized in floating point; both write 4:2:0 at one quality.
"""

import json
import math
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageMath
from rich.console import Console
from rich.table import Table

from infra_cdk.node import ROOT, find
from socialflow.media.rendering import SQUARES, WIDTHS
from tests.benchmarks.telling import machine

pytestmark = pytest.mark.benchmark

SHARP = Path(__file__).parent / "sharp"
ROUNDS = 3
PHOTOS = ROOT / "infra_cdk" / "local" / "demo" / "photos"
TILE, GRAIN = 900, 8
COMPARED = ("large", "medium", "small", "thumb")
DESIGNS = {"sharp, four clones": ("clones", "1"), "the same, all threads": ("clones", "0"),
           "sharp, one decode": ("cascade", "1")}  # fmt: skip
OURS = "ours"


@dataclass(frozen=True)
class Source:
    """A picture to be made: megapixels, pixels, how it is saved, how often it is measured in each process."""

    name: str
    size: tuple[int, int]
    kind: str = "JPEG"
    progressive: bool = False
    repetitions: int = 3


SOURCES = (
    Source("2 MP", (1_600, 1_200), repetitions=8),
    Source("12 MP", (4_000, 3_000)),
    Source("24 MP", (6_000, 4_000)),
    Source("48 MP", (8_000, 6_000)),
    Source("100 MP", (11_552, 8_656), repetitions=1),
    Source("48 MP, progressive", (8_000, 6_000), progressive=True, repetitions=1),
    Source("48 MP, PNG", (8_000, 6_000), "PNG", repetitions=1),
)


@dataclass(frozen=True)
class Figures:
    """What one process said, and how near its derivatives are to the reference, in decibels."""

    cpu: float
    wall: float
    memory: float
    quality: dict[str, float]


@pytest.fixture(autouse=True)
def _large_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_derivatives_against_sharp(source: Source, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / f"picture.{source.kind.lower()}"
    mosaic = _mosaic(source.size)
    mosaic.save(path, source.kind, **_options(source))
    del mosaic
    references = dict(_references(path))
    found: defaultdict[str, list[Figures]] = defaultdict(list)
    for _ in range(ROUNDS):
        for name, (design, threads) in DESIGNS.items():
            command = [str(find()), str(SHARP / "measure.mjs"), design, threads, str(path)]
            found[name].append(_measured(command, source, references, tmp_path))
        command = [sys.executable, "-m", "tests.benchmarks.measure", f"image/{source.kind.lower()}", str(path)]
        found[OURS].append(_measured(command, source, references, tmp_path))
    with capsys.disabled():
        _tell(source, found)


def _options(source: Source) -> dict[str, int | bool | str]:
    if source.kind == "PNG":
        return {"compress_level": 3}
    return {"quality": 92, "subsampling": "4:2:0", "progressive": source.progressive}


def _mosaic(size: tuple[int, int]) -> Image.Image:
    """Return the demo's photos side by side, somewhat enlarged and with the grain of a sensor."""
    tiles = []
    for path in sorted(PHOTOS.glob("*.[jp][pn]g")):
        with Image.open(path) as opened:
            plain = opened.convert("RGB").resize((TILE, TILE), Image.Resampling.BICUBIC)
        grain = Image.effect_noise((TILE, TILE), GRAIN)
        tiles.append(ImageChops.add(plain, Image.merge("RGB", [grain] * 3), offset=-128))
    tiles += [tile.transpose(Image.Transpose.FLIP_LEFT_RIGHT) for tile in tiles]
    whole = Image.new("RGB", size)
    places = [(x, y) for y in range(0, size[1], TILE) for x in range(0, size[0], TILE)]
    for number, place in enumerate(places):
        whole.paste(tiles[(number + number // 7) % len(tiles)], place)
    return whole


def _references(path: Path) -> Iterator[tuple[str, Image.Image]]:
    """Return the luma of the picture in each size, resized in floating point from the whole of it."""
    with Image.open(path) as opened:
        luma = opened.convert("F")
    width, height = luma.size
    for name, most, _ in WIDTHS:
        across = min(width, most)
        yield name, luma.resize((across, round(height * across / width)), Image.Resampling.LANCZOS)
    edge = min(luma.size)
    left, top = (width - edge) / 2, (height - edge) / 2
    for name, side, _ in SQUARES:
        yield name, luma.resize((side, side), Image.Resampling.LANCZOS, box=(left, top, left + edge, top + edge))


def _measured(command: list[str], source: Source, references: dict[str, Image.Image], folder: Path) -> Figures:
    done = subprocess.run(
        [*command, str(source.repetitions), str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        timeout=600,
    )
    told = json.loads(done.stdout)
    quality = {name: _decibels(references[name], folder / f"{name}.jpg") for name in COMPARED}
    return Figures(told["cpu"], told["wall"], told["memory"], quality)


def _decibels(reference: Image.Image, path: Path) -> float:
    with Image.open(path) as opened:
        luma = opened.convert("F")
    assert luma.size == reference.size
    squares = ImageMath.lambda_eval(lambda the: (the["a"] - the["b"]) * (the["a"] - the["b"]), a=reference, b=luma)
    mean = squares.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    assert isinstance(mean, float)
    return 10 * math.log10(255**2 / mean)


def _tell(source: Source, found: dict[str, list[Figures]]) -> None:
    table = Table(title=f"{source.name}, {source.kind}: medians of {ROUNDS} processes each", title_justify="left")
    table.add_column("")
    for heading in ("CPU ms", "ratio", "wall ms", "ratio", "peak MB", *(f"{name} dB" for name in COMPARED)):
        table.add_column(heading, justify="right")
    first = found[next(iter(DESIGNS))]
    for name, figures in found.items():
        cpu, wall = (statistics.median(getattr(each, what) for each in figures) for what in ("cpu", "wall"))
        ratios = [
            statistics.median(getattr(a, what) / getattr(b, what) for a, b in zip(figures, first, strict=True))
            for what in ("cpu", "wall")
        ]
        memory = max(each.memory for each in figures)
        qualities = [f"{figures[-1].quality[variant]:.2f}" for variant in COMPARED]
        row = [f"{cpu:,.0f}", f"{ratios[0]:.2f}", f"{wall:,.0f}", f"{ratios[1]:.2f}", f"{memory:,.0f}"]
        table.add_row(name, *row, *qualities)
    console = Console(width=120)
    console.print()
    console.print(table)
    console.print(machine())
