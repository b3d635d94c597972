"""A contact sheet: every derivative of every photo on one picture."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path

import httpx
from PIL import Image, ImageDraw, ImageFont

from infra_cdk.local.demo.client import DemoError, Document

CELL, GAP, LABEL = 240, 16, 20
PAPER, INK = "white", "#333333"
VARIANTS = ("thumb", "small", "medium", "large")


def draw(http: httpx.Client, media: Sequence[Document], path: Path) -> Path:
    """Fetch the derivatives and write the sheet to `path`, a row for each photo; raises DemoError."""
    width = GAP + len(VARIANTS) * (CELL + GAP)
    row = CELL + LABEL + GAP
    sheet = Image.new("RGB", (width, GAP + len(media) * row), PAPER)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for down, item in enumerate(media):
        made: Mapping[str, Document] = {each["variant"]: each for each in item["derivatives"]}
        for across, variant in enumerate(VARIANTS):
            if variant not in made:
                raise DemoError(f"{item['file_name']} has no derivative {variant!r}, only {', '.join(made) or 'none'}")
            each = made[variant]
            left, top = GAP + across * (CELL + GAP), GAP + down * row
            picture = _fetch(http, each["url"])
            if picture.size != (each["width"], each["height"]):
                raise DemoError(f"{item['file_name']}, {variant}: the picture is not of the size that the API told")
            picture.thumbnail((CELL, CELL))
            sheet.paste(picture, (left + (CELL - picture.width) // 2, top + (CELL - picture.height) // 2))
            label = f"{item['file_name'][:18]} · {variant} {each['width']}x{each['height']}"
            pen.text((left, top + CELL + 3), label, fill=INK, font=font)
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path, quality=88)
    return path


def _fetch(http: httpx.Client, url: str) -> Image.Image:
    answer = http.get(url)
    if answer.status_code != httpx.codes.OK:
        raise DemoError(f"a derivative cannot be downloaded ({answer.status_code}): {answer.text[:300]}")
    return Image.open(BytesIO(answer.content)).convert("RGB")
