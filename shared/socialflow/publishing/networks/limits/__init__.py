"""What each network takes, as dated data with its source: one file for each network.

Limits contradict each other across sources and years. What an instance itself says comes before the file.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True)
class Limits:
    """What a post must fit into, at one destination."""

    max_characters: int
    characters_reserved_per_url: int
    max_media_attachments: int
    max_alt_text: int
    image_size_limit: int
    media_types: tuple[str, ...]


@cache
def document(network: str) -> Mapping[str, Any]:
    """Return the dated file of a network."""
    text = (files(__package__) / f"{network}.json").read_text("utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def limits(network: str, own: Mapping[str, Any]) -> Limits:
    """Return a network's limits, with what the account's own server says in their place."""
    known = document(network)

    def figure(name: str) -> int:
        value = own.get(name)
        return value if isinstance(value, int) and value > 0 else int(known[name])

    return Limits(
        max_characters=figure("max_characters"),
        characters_reserved_per_url=figure("characters_reserved_per_url"),
        max_media_attachments=figure("max_media_attachments"),
        max_alt_text=figure("max_alt_text"),
        image_size_limit=figure("image_size_limit"),
        media_types=tuple(known["media_types"]),
    )
