"""What the captioner writes about the photos of the demo, as the docs show it: it sees what the product shows it."""

from collections.abc import Mapping
from pathlib import Path

from infra_cdk.local.offline_ai.looking import Look, look
from infra_cdk.local.offline_ai.telling import tell
from infra_cdk.local.offline_ai.wishing import Wish
from socialflow.media.inspection import opened
from socialflow.media.rendering import render

PHOTOS: Mapping[str, tuple[str, str]] = {
    "coffee.jpg": ("image/jpeg", "a cup on a table"),
    "rocket.jpg": ("image/jpeg", "a rocket at night"),
    "cat.png": ("image/png", "a cat"),
}
WISHES: Mapping[str, dict[str, object]] = {
    "`tone` playful, `length` short": {"tone": "playful", "length": "one sentence"},
    "`length` long": {"length": "up to six"},
    "`length` long, at most 80 characters": {"length": "up to six", "characters": 80},
    "`language` de, `tone` friendly": {"language": "de", "tone": "friendly"},
    "`language` fr": {"language": "fr"},
    "`language` es, `tone` inspiring": {"language": "es", "tone": "inspiring"},
    "`alternatives` 4": {"alternatives": 4},
}
_FOLDER = Path(__file__).parents[1] / "demo" / "photos"


def tables() -> str:
    """Return its words about each photo, and about one of them by what is wished."""
    rows = ["| photo | caption | alternative text |", "|---|---|---|"]
    for name, (_, what) in PHOTOS.items():
        ((caption, alt_text),) = _written(_seen(name), Wish())
        rows.append(f"| `{name}`: {what} | {caption} | {alt_text} |")
    rows += ["", "| of `rocket.jpg` is wished | caption |", "|---|---|"]
    for wish, data in WISHES.items():
        captions = [caption for caption, _ in _written(_seen("rocket.jpg"), Wish.of(data))]
        rows.append(f"| {wish} | {'<br>'.join(captions)} |")
    return "\n".join(rows)


def _seen(name: str) -> Look:
    with (_FOLDER / name).open("rb") as file, opened(file, PHOTOS[name][0]) as picture:
        return look(next(made.data for made in render(picture) if made.variant == "small"))


def _written(seen: Look, wish: Wish) -> list[tuple[str, str]]:
    return [
        (" ".join([caption.text, *(f"#{tag}" for tag in caption.hashtags)]), caption.alt_text)
        for caption in tell(seen, wish)
    ]
