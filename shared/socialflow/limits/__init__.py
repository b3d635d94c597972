"""What each network takes, as dated data with its source: one file for each network.

Limits contradict each other across sources and years: where sources differ, the file keeps the figure that all of them
take, and says so. What an account's own server tells comes before the file.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from socialflow.errors import FieldError, Invalid

NETWORKS = ("instagram", "facebook", "threads", "x", "linkedin", "tiktok", "bluesky", "mastodon")
"""The networks of which limits are known."""
ALIASES = {"twitter": "x"}
"""Other names under which a network is asked for."""


class UnknownNetwork(Invalid):
    """A network that is not spoken here, or of which no limits are known."""

    code, title = "unknown-network", "That network is not supported"


@dataclass(frozen=True)
class Pictures:
    """What a network takes of pictures; a ratio is width by height, None is no limit that is known."""

    types: tuple[str, ...]
    max_count: int
    max_bytes: int
    max_width: int | None
    max_height: int | None
    max_pixels: int | None
    min_ratio: Fraction | None
    max_ratio: Fraction | None
    widths: tuple[int, ...]
    """The widths that the network shows; more than the last of them is thrown away there."""


@dataclass(frozen=True)
class Videos:
    """What a network takes of videos; the long and the short side hold in both directions."""

    types: tuple[str, ...]
    codecs: tuple[str, ...]
    audio_codecs: tuple[str, ...]
    max_count: int
    max_bytes: int
    min_seconds: float
    max_seconds: float | None
    max_side: int
    max_short_side: int | None
    max_pixels: int | None
    min_side: int | None
    min_frame_rate: float | None
    max_frame_rate: float | None
    min_ratio: Fraction | None
    max_ratio: Fraction | None


@dataclass(frozen=True)
class Texts:
    """What a network takes of a text. `counted` names how (`measuring`); None is no limit that is known.

    `max_hashtags` is how many suit the network, `most_hashtags` how many it takes.
    """

    max_characters: int
    counted: str
    max_bytes: int | None
    max_hashtags: int
    most_hashtags: int | None
    most_mentions: int | None
    most_links: int | None


@dataclass(frozen=True)
class Cost:
    """What a network bills for a post, in decimals of a currency."""

    currency: str
    post: str
    with_link: str


@dataclass(frozen=True)
class Replies:
    """What a network takes under a post by whoever posts it: parts of a thread, or comments of text alone.

    `max_characters` None: as many as the post's own text.
    """

    kind: Literal["thread", "comment"] | None
    most: int
    max_characters: int | None


@dataclass(frozen=True)
class Posts:
    """What a network takes of a post as a whole. Alt text: None is no limit that is known, 0 that there is none."""

    max_media: int
    mixes: bool
    """Whether pictures and videos go into one post."""
    needs_media: bool
    max_alt_text: int | None
    cost: Cost | None
    replies: Replies


def canonical(name: str) -> str:
    """Return a network's name as it is kept; the name may be none of ours."""
    return ALIASES.get(name, name)


def known(name: str) -> str:
    """Return the name of a network whose limits are known; raises `UnknownNetwork`."""
    network = canonical(name)
    if network not in NETWORKS:
        raise UnknownNetwork(
            f"Nothing is known of {name!r}. Choose one of: {', '.join(NETWORKS)}.",
            errors=[FieldError("/network", "unknown-network")],
        )
    return network


@cache
def document(network: str) -> Mapping[str, Any]:
    """Return the dated file of a network."""
    text = (files(__package__) / "networks" / f"{network}.json").read_text("utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def texts(network: str) -> Texts:
    """Return what a network takes of a text."""
    return Texts(**document(network)["texts"])


def posts(network: str) -> Posts:
    """Return what a network takes of a post as a whole."""
    told = document(network)["posts"]
    cost = Cost(**told["cost"]) if told["cost"] else None
    return Posts(**(told | {"cost": cost, "replies": Replies(**told["replies"])}))


def pictures(network: str) -> Pictures:
    """Return what a network takes of pictures."""
    return Pictures(**_typed(document(network)["pictures"]))


def videos(network: str) -> Videos:
    """Return what a network takes of videos."""
    return Videos(**_typed(document(network)["videos"]))


def _typed(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return JSON values as the dataclasses have them: ratios as fractions, lists as tuples."""
    known: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in told.items()}
    ratios = {name: Fraction(*known[name]) for name in ("min_ratio", "max_ratio") if known[name] is not None}
    return known | ratios
