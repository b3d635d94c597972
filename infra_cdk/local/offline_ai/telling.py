"""Sentences about how a picture looks. Templates, and nothing that was not measured."""

from dataclasses import dataclass

from infra_cdk.local.offline_ai.looking import Look
from infra_cdk.local.offline_ai.wishing import Wish
from infra_cdk.local.offline_ai.words import LANGUAGES, Words

_ALL = 6
"""So many sentences, and it says all that was measured."""


@dataclass(frozen=True)
class Told:
    """A caption and all that belongs to it."""

    text: str
    alt_text: str
    hashtags: tuple[str, ...]
    description: str


def tell(look: Look, wish: Wish) -> list[Told]:
    """Return what is told of a look, in as many ways as are wished."""
    return [_one(look, wish, frame) for frame in wish.words.frames[: wish.alternatives]]


def _one(look: Look, wish: Wish, frame: str) -> Told:
    words = wish.words
    said = {
        "colours": _listed(look, words),
        "light": words.light[look.light],
        "format": words.formats[look.format],
        "month": words.months[wish.taken_at.month - 1] if wish.taken_at else "",
        "year": wish.taken_at.year if wish.taken_at else "",
    }
    half = words.halves.get(look.lighter_half, "")
    alt_text, contrast = words.alt.format(**said), words.contrast[look.contrast]
    taken = words.taken.format(**said) if wish.taken_at else ""
    first = _capitalised(words.leads.get(wish.tone, "") + frame.format(**said))
    date = f"{_capitalised(words.month.format(**said))}." if wish.taken_at else ""
    all_of_it = wish.sentences >= _ALL
    more = [
        contrast if all_of_it or look.contrast == "strong" else "",
        date,
        f"{said['format']}." if all_of_it else "",
        half if all_of_it else "",
    ]
    tags = [*dict.fromkeys(words.colours[each].replace(" ", "") for each in look.colours)]
    tags += [words.tags[look.format], words.tags["photo"]]
    caption, tags = _fitted([first, *filter(None, more)][: wish.sentences], tags, wish.characters)
    foreign = "" if wish.language in LANGUAGES else f"It writes {', '.join(LANGUAGES)} and no other language."
    description = [alt_text, contrast, half, taken, words.basic, foreign]
    return Told(caption, " ".join(filter(None, (alt_text, half))), tuple(tags), " ".join(filter(None, description)))


def _fitted(sentences: list[str], tags: list[str], most: int) -> tuple[str, list[str]]:
    """Leave out sentences from the end, but the first, and then hashtags, until both fit together."""
    while len(sentences) > 1 and _length(sentences, tags) > most:
        sentences = sentences[:-1]
    while tags and _length(sentences, tags) > most:
        tags = tags[:-1]
    return " ".join(sentences), tags


def _length(sentences: list[str], tags: list[str]) -> int:
    behind = "\n\n" + " ".join(f"#{tag}" for tag in tags) if tags else ""
    return len(" ".join(sentences) + behind)


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def _listed(look: Look, words: Words) -> str:
    names = [words.colours[each] for each in look.colours]
    return words.listed.join(filter(None, (", ".join(names[:-1]), names[-1])))
