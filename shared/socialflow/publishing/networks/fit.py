"""Whether a rendering fits its network, counted as the network counts."""

import re
from collections.abc import Mapping
from uuid import UUID

from socialflow.errors import FieldError
from socialflow.limits import document
from socialflow.publishing.content import Destination, MediaFile, Rendering
from socialflow.publishing.networks.limits import Limits, limits

_LINK = re.compile(r"https?://[^\s<>\"]+")
_CLOSING = ".,;:!?)]}'"
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def misfits(
    rendering: Rendering, destination: Destination, files: Mapping[UUID, MediaFile], pointer: str
) -> list[FieldError]:
    """Return what the network would refuse, in words; `pointer` is where the rendering's text comes from."""
    known = limits(rendering.network, destination.capabilities)
    found = [*_text(rendering, known, pointer), *_options(rendering)]
    if len(rendering.media) > known.max_media_attachments:
        words = f"{rendering.network} takes {known.max_media_attachments} media, the post has {len(rendering.media)}."
        found.append(FieldError("/media", "too-many", words))
    for index, piece in enumerate(rendering.media):
        file = files[piece.id]
        if len(piece.alt_text) > known.max_alt_text:
            words = f"The alt text has {len(piece.alt_text)} characters, {known.max_alt_text} are taken."
            found.append(FieldError(f"/media/{index}/alt_text", "too-long", words))
        if file.content_type.startswith("video/"):
            words = f"Videos do not go out to {rendering.network} yet: choose pictures for it, or leave it out."
            found.append(FieldError(f"/media/{index}/id", "video-not-sent", words))
            continue
        if file.content_type not in known.media_types:
            words = f"{rendering.network} does not take {file.content_type}."
            found.append(FieldError(f"/media/{index}/id", "unsupported-type", words))
        if file.size > known.image_size_limit:
            words = f"The file has {file.size} bytes, {known.image_size_limit} are taken."
            found.append(FieldError(f"/media/{index}/id", "too-large", words))
    return found


def length(text: str, known: Limits) -> int:
    """Return how many characters a text counts: every link the same, whatever its length.

    Code points are counted. Where an instance counts what is seen as one character, this is never less.
    """

    def stand_in(match: re.Match[str]) -> str:
        link = match[0].rstrip(_CLOSING)
        return "x" * known.characters_reserved_per_url + match[0][len(link) :]

    return len(_LINK.sub(stand_in, text))


def _text(rendering: Rendering, known: Limits, pointer: str) -> list[FieldError]:
    if not rendering.text.strip() and not rendering.media:
        return [FieldError(pointer, "empty", "There is nothing to publish: give a text or a medium.")]
    counted = length(rendering.text + str(rendering.options.get("spoiler_text", "")), known)
    if counted <= known.max_characters:
        return []
    words = f"The text counts {counted} characters, {rendering.network} takes {known.max_characters} there."
    return [FieldError(pointer, "too-long", words)]


def _options(rendering: Rendering) -> list[FieldError]:
    taken = document(rendering.network)["options"]
    at = f"/variants/{rendering.network}/options"
    found = [FieldError(f"{at}/{name}", "unknown-option", "") for name in rendering.options if name not in taken]
    for name, value in rendering.options.items():
        if name in taken and not _is_option(name, value, taken[name]):
            found.append(FieldError(f"{at}/{name}", "unusable-option", f"{name}: {taken[name]}"))
    return found


def _is_option(name: str, value: object, taken: object) -> bool:
    if isinstance(taken, list):
        return value in taken
    if name == "sensitive":
        return isinstance(value, bool)
    if name == "language":
        return isinstance(value, str) and _LANGUAGE.fullmatch(value) is not None
    return isinstance(value, str) and len(value) <= 500
