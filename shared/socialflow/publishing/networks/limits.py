"""What a post must fit into at one destination: the network's dated figures, and before them the server's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from socialflow.limits import document


@dataclass(frozen=True)
class Limits:
    """What a post must fit into, at one destination."""

    max_characters: int
    characters_reserved_per_url: int
    max_media_attachments: int
    max_alt_text: int
    image_size_limit: int
    media_types: tuple[str, ...]


def limits(network: str, own: Mapping[str, Any]) -> Limits:
    """Return a network's limits, with what the account's own server says in their place."""
    known = document(network)
    pictures = known["pictures"]

    def figure(name: str, usual: int) -> int:
        value = own.get(name)
        return value if isinstance(value, int) and value > 0 else usual

    return Limits(
        max_characters=figure("max_characters", known["max_characters"]),
        characters_reserved_per_url=figure("characters_reserved_per_url", known["characters_reserved_per_url"]),
        max_media_attachments=figure("max_media_attachments", pictures["max_count"]),
        max_alt_text=figure("max_alt_text", known["max_alt_text"]),
        image_size_limit=figure("image_size_limit", pictures["max_bytes"]),
        media_types=tuple(pictures["types"]),
    )
