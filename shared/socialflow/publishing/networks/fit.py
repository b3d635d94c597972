"""Whether a rendering fits its network, counted as the network counts: one answer for who writes and who schedules."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from socialflow.errors import FieldError
from socialflow.limits import little_text, measuring
from socialflow.limits.links import links
from socialflow.publishing.content import Content, Destination, Library, Rendering, Route
from socialflow.publishing.findings import Finding, error, warning
from socialflow.publishing.networks import fit_media
from socialflow.publishing.networks.limits import OWN, Limits, limits

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_NEVER_ON_X = re.compile("[\ufffe\ufeff\uffff]")
_OURS = frozenset({"empty", "no-alt-text", "still-only"})
"""What no network's limits say."""
_HASHTAG = re.compile(r"(?<![\w&/])#\w*[^\W\d_]")
_MENTION = re.compile(r"(?<![\w/])@\w")


@dataclass(frozen=True)
class Places:
    """Where in the request a rendering's text and media come from, as JSON pointers."""

    text: str = "/text"
    media: str = "/media"

    @classmethod
    def of(cls, content: Content, network: str, position: int = 0) -> "Places":
        """Return where what a network gets is written: in its variant, or in the post."""
        variant = content.variants.get(network)
        own = f"/variants/{network}"
        if position:
            at = f"{own if variant and variant.replies is not None else ''}/replies/{position - 1}"
            return cls(f"{at}/text", f"{at}/media")
        return cls(
            f"{own}/text" if variant and variant.text is not None else "/text",
            f"{own}/media" if variant and variant.media is not None else "/media",
        )


def misfits(rendering: Rendering, destination: Destination, library: Library, places: Places) -> list[FieldError]:
    """Return what the network would refuse, in words."""
    found = findings(rendering, destination.capabilities, library, places, route=destination.route)
    return [one.error for one in found if one.severity == "error"]


def findings(
    rendering: Rendering, own: Mapping[str, Any], library: Library, places: Places, *, route: Route = "direct"
) -> list[Finding]:
    """Return everything that is found of a rendering; `own` are the figures of the account's server."""
    known = limits(rendering.network, own)
    if rendering.position:
        refused = list(_reply(rendering, known, places.text.removesuffix("/text"), route))
        if refused:
            return refused
        known = known.of_replies()
    found = [
        *_text(rendering, known, places.text),
        *_entities(rendering, known, places.text),
        *_options(rendering, known),
        *fit_media.findings(rendering, known, library, places.media),
    ]
    return [
        one if one.source or one.code in _OURS else replace(one, as_of=known.as_of, source=known.source)
        for one in found
    ]


def counted(rendering: Rendering, known: Limits) -> int:
    """Return how much the text of a rendering counts; a content warning counts with it."""
    return known.counted(rendering.text + str(rendering.options.get("spoiler_text", "")))


def _reply(rendering: Rendering, known: Limits, pointer: str, route: Route) -> Iterator[Finding]:
    network, told = rendering.network, known.posts.replies
    without = f"Leave it out, for {network} alone by variants.{network}.replies: []."
    if told.kind is None:
        yield error(pointer, "no-replies", f"{network} takes no replies by whoever posts.", without)
    elif route == "late":
        yield error(
            pointer, "no-replies", "Replies do not go by way of Late.", f"{without} Or go to {network} directly."
        )
    elif rendering.position > told.most:
        what = "comments" if told.kind == "comment" else "replies"
        words = f"Under a post on {network} go {told.most} {what} of ours at the most."
        yield error(pointer, "too-many-replies", words, without, (told.most, rendering.position))


def _text(rendering: Rendering, known: Limits, pointer: str) -> Iterator[Finding]:
    network, most = rendering.network, known.texts.max_characters
    if not rendering.text.strip() and not rendering.media:
        yield error(pointer, "empty", "There is nothing to publish.", "Give a text or a medium.")
        return
    length = counted(rendering, known)
    if length > most:
        words = f"The text counts {length:,} characters, {network} takes {most:,} there."
        found = error(pointer, "too-long", words, f"Shorten it by {length - most:,}.", (most, length))
        yield replace(found, source=OWN) if "max_characters" in known.own else found
    size, room = measuring.in_bytes(rendering.text), known.texts.max_bytes
    if room is not None and size > room:
        words = f"The text has {size:,} bytes, {network} takes {room:,}."
        yield error(pointer, "too-many-bytes", words, "Use fewer signs that are composed of many.", (room, size))
    if known.texts.counted == "weighted" and _NEVER_ON_X.search(rendering.text):
        words = f"The text has a sign that {network} does not take: U+FFFE, U+FEFF or U+FFFF."
        yield error(pointer, "invalid-characters", words, "It shows as nothing: write or paste the text anew.")
    if network == "linkedin" and length <= most < (longer := known.counted(little_text.escaped(rendering.text))):
        words = f"With the signs that {network} reserves escaped, the text counts {longer:,} characters."
        advice = f"Stay below {most:,} with them, so that nothing is cut off at its end."
        yield warning(pointer, "escaped-too-long", words, advice, (most, longer))


def _entities(rendering: Rendering, known: Limits, pointer: str) -> Iterator[Finding]:
    text, room = rendering.text, known.texts
    told: tuple[tuple[str, int | None, Callable[[], int]], ...] = (
        ("hashtags", room.most_hashtags, lambda: len(_HASHTAG.findall(text))),
        ("mentions", room.most_mentions, lambda: len(_MENTION.findall(text))),
        ("links", room.most_links, lambda: len({text[begin:end] for begin, end in links(text)})),
    )
    for what, most, count in told:
        if most is not None and (found := count()) > most:
            words = f"The text has {found:,} {what}, {rendering.network} takes {most}."
            yield error(pointer, f"too-many-{what}", words, f"Leave {found - most:,} out.", (most, found))


def _options(rendering: Rendering, known: Limits) -> Iterator[Finding]:
    at = f"/variants/{rendering.network}/options"
    for name, value in rendering.options.items():
        pointer = f"{at}/{name.replace('~', '~0').replace('/', '~1')}"
        if name not in known.options:
            taken = ", ".join(known.options) or "none"
            yield error(pointer, "unknown-option", f"{rendering.network} has no such option.", f"There are: {taken}.")
        elif not _is_option(name, value, known.options[name]):
            yield error(pointer, "unusable-option", f"{name} cannot be that.", f"It is: {known.options[name]}")


def _is_option(name: str, value: object, taken: object) -> bool:
    if isinstance(taken, list):
        return value in taken
    if name == "sensitive":
        return isinstance(value, bool)
    if name == "language":
        return isinstance(value, str) and _LANGUAGE.fullmatch(value) is not None
    return isinstance(value, str) and len(value) <= 500
