"""What a post must fit into at one destination: the network's dated figures, and before them the server's own."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from socialflow import limits as dated
from socialflow.limits import Posts, Texts, measuring

OWN = "the account's own server"


@dataclass(frozen=True)
class Limits:
    """What a post must fit into, at one destination; `own` are the figures that its server has told."""

    network: str
    texts: Texts
    posts: Posts
    characters_reserved_per_url: int
    image_size_limit: int
    media_types: tuple[str, ...]
    options: Mapping[str, Any]
    as_of: str
    source: str
    own: frozenset[str]

    def of_replies(self) -> "Limits":
        """Return what a reply must fit into: a part of a thread is a post, a comment is text alone."""
        told = self.posts.replies
        most, media = told.max_characters or self.texts.max_characters, self.posts.max_media
        return replace(
            self,
            texts=replace(self.texts, max_characters=most),
            posts=replace(self.posts, needs_media=False, max_media=media if told.kind == "thread" else 0),
            own=self.own if told.max_characters is None else self.own - {"max_characters"},
        )

    def counted(self, text: str) -> int:
        """Return how much a text counts there."""
        if self.texts.counted == "mastodon":
            return measuring.on_mastodon(text, self.characters_reserved_per_url)
        return measuring.measured(text, self.texts)


def limits(network: str, own: Mapping[str, Any]) -> Limits:
    """Return a network's limits, with what the account's own server says in their place."""
    known, texts, posts = dated.document(network), dated.texts(network), dated.posts(network)
    pictures = dated.pictures(network)
    told = {name: value for name, value in own.items() if type(value) is int and value > 0}
    return Limits(
        network=network,
        texts=replace(texts, max_characters=told.get("max_characters", texts.max_characters)),
        posts=replace(
            posts,
            max_media=told.get("max_media_attachments", posts.max_media),
            max_alt_text=told.get("max_alt_text", posts.max_alt_text),
        ),
        characters_reserved_per_url=told.get("characters_reserved_per_url", measuring.LINK_ON_MASTODON),
        image_size_limit=told.get("image_size_limit", pictures.max_bytes),
        media_types=pictures.types,
        options=known.get("options", {}),
        as_of=known["as_of"],
        source=known["source"],
        own=frozenset(told),
    )
