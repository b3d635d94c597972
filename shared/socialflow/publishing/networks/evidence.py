"""Whether two texts are the same status: what was sent, and what a network shows of it."""

import re
import unicodedata
from html.parser import HTMLParser

from socialflow.publishing.content import Rendering


def same(one: str, other: str) -> bool:
    """Tell whether two texts differ in white space and Unicode form at the most."""
    return _normal(one) == _normal(other)


def answered(rendering: Rendering) -> str:
    """Return the network's id of what a rendering is a reply to; empty where it is none."""
    return rendering.answers.parent.remote_id if rendering.answers else ""


def plain(markup: str) -> str:
    """Return the text of a status that is shown as HTML: paragraphs and line breaks as white space."""
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    return "".join(reader.parts)


def _normal(text: str) -> str:
    return re.sub(r"\s+", " ", unicodedata.normalize("NFC", text)).strip()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []

    def handle_starttag(self, tag: str, _attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("p", "br", "div"):
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        self.parts.append(data)
