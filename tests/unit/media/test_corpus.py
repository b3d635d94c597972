"""Every file of the corpus has its outcome, within bounded memory and time."""

import io
import re
import subprocess
import sys
import textwrap

import pytest
from PIL import Image, ImageColor

from socialflow.media import inspection, rendering
from socialflow.media.inspection import Picture
from socialflow.media.model import UnfitFile
from tests.corpus import REAL, Case
from tests.hostile import HOSTILE, as_file

SKY, GROUND, MARK = (ImageColor.getrgb(name) for name in ("skyblue", "saddlebrown", "red"))


def processed(case: Case) -> tuple[Picture, dict[str, rendering.Rendered]]:
    """Inspect and render, as the task does."""
    with inspection.opened(as_file(case), case.declared) as picture:
        return picture, {made.variant: made for made in rendering.render(picture)}


def corners(looks: str) -> list[tuple[int, ...]]:
    """Return what is seen at the top left, the top right and the bottom left."""
    if looks == "scene":
        return [MARK, SKY, GROUND]
    if looks == "turned":
        return [GROUND, MARK, GROUND]
    if looks == "grey":
        return [3 * (round(0.299 * r + 0.587 * g + 0.114 * b),) for r, g, b, *_ in (MARK, SKY, GROUND)]
    return [ImageColor.getrgb(looks)] * 3


@pytest.mark.parametrize("name", REAL)
def test_a_real_file_is_processed(name: str) -> None:
    case = REAL[name]
    picture, made = processed(case)
    assert (picture.width, picture.height, picture.animated) == (*case.size, case.animated)
    assert set(made) == {"large", "medium", "small", "square", "thumb"}
    small = Image.open(io.BytesIO(made["small"].data))
    assert (small.format, small.mode) == ("JPEG", "RGB")
    near = min(4, small.width - 1)
    seen = [
        small.getpixel(at) for at in ((near, near), (small.width - 1 - near, near), (near, small.height - 1 - near))
    ]
    for found, wanted in zip(seen, corners(case.looks), strict=True):
        assert isinstance(found, tuple)
        assert max(abs(a - b) for a, b in zip(found, wanted, strict=True)) < 40, (seen, corners(case.looks))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_in_words(name: str) -> None:
    case = HOSTILE[name]
    with pytest.raises(UnfitFile) as refused:
        processed(case)
    assert refused.value.code in case.refused
    assert re.fullmatch(r"[A-Z].*\. [A-Z].*\.", refused.value.detail)  # what is wrong, and what to do


def test_the_whole_corpus_stays_within_bounded_memory_and_time() -> None:
    """Every file one after another, in a process that may have 1.2 GB of addresses and four minutes of a processor."""
    script = textwrap.dedent(
        """
        import resource
        from socialflow.media import inspection, rendering
        from socialflow.media.model import UnfitFile
        from tests.corpus import REAL
        from tests.hostile import HOSTILE
        from tests.unit.media.test_corpus import processed
        resource.setrlimit(resource.RLIMIT_AS, (1_200_000_000, 1_200_000_000))
        resource.setrlimit(resource.RLIMIT_CPU, (240, 240))
        for name, case in (REAL | HOSTILE).items():
            try:
                processed(case)
            except UnfitFile as why:
                assert why.code in case.refused, (name, why.code)
            else:
                assert not case.refused, name
        print("survived", len(REAL | HOSTILE))
        """
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=400, check=False)
    assert done.stdout.split()[:1] == ["survived"], done.stderr
    assert int(done.stdout.split()[1]) >= 60
