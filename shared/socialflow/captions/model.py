"""What a caption is, what an author may write, and how a machine's answer is made harmless."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from socialflow.errors import FieldError, Invalid

MAX_TEXT = 2_200
MAX_ALT_TEXT = 1_500
MAX_DESCRIPTION = 2_000
MAX_HASHTAGS = 30
MAX_HASHTAG = 100
MAX_MACHINE_HASHTAGS = 10
MAX_PROMPT = 1_000

Source = Literal["ai", "person", "device"]

# Joiners hold emoji and the scripts of Persia and India together; every other format character can deceive.
_JOINERS = "\u200c\u200d"
_LINK = re.compile(r"(?i)\S*://\S*|\bwww\.\S+|\b(?:[a-z0-9-]+\.)+[a-z]{2,24}\b(?:[/?#]\S*)?")
_MAIL_OR_MENTION = re.compile("[^\\s@\uff20]*[@\uff20][\\w.@\uff20-]*")  # \uff20 is the wide @
_SPACES = re.compile(r"[^\S\n]+")
_BLANK_LINES = re.compile(r"\n{3,}")
_NOT_IN_HASHTAG = re.compile(r"\W+")


class CaptionInvalid(Invalid):
    """A caption breaks a limit."""

    code, title = "caption-invalid", "The caption cannot be taken"


@dataclass(frozen=True)
class Draft:
    """A caption that is not written yet."""

    text: str
    alt_text: str = ""
    hashtags: tuple[str, ...] = ()
    description: str = ""


@dataclass(frozen=True)
class Edit:
    """What an author changes; None leaves a part as it is."""

    text: str | None = None
    alt_text: str | None = None
    hashtags: tuple[str, ...] | None = None

    @property
    def empty(self) -> bool:
        """Whether it changes nothing."""
        return self.text is None and self.alt_text is None and self.hashtags is None


@dataclass(frozen=True)
class Author:
    """Who wrote a version: a person, a person's own device, or (without a user) the captioner."""

    source: Source
    user: UUID | None = None
    model: str | None = None
    request: UUID | None = None


@dataclass(frozen=True)
class Caption:
    """One version of a media item's caption."""

    id: UUID
    media_id: UUID
    version: int
    text: str
    alt_text: str
    hashtags: list[str]
    description: str
    source: Source
    model: str | None
    author: UUID | None
    created_at: datetime

    @property
    def rendered(self) -> str:
        """The text as it is published: hashtags follow after a blank line."""
        tags = " ".join(f"#{tag}" for tag in self.hashtags)
        return "\n\n".join(part for part in (self.text, tags) if part)


@dataclass(frozen=True)
class CaptionRequest:
    """A wish for a caption, and what became of it."""

    id: UUID
    media_id: UUID
    state: Literal["open", "written", "skipped"]
    prompt: str
    reason: str | None
    reason_detail: str | None
    requested_by: UUID


class Skipped(Exception):
    """No caption was written: `reason` for programs, `detail` for the person who will write it instead."""

    def __init__(self, reason: str, detail: str) -> None:
        """Take a kebab-case reason and a sentence that says what to do."""
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def checked_prompt(prompt: str) -> str:
    """Return a person's wish, trimmed; raises `CaptionInvalid`."""
    return _checked("/caption/prompt", prompt, MAX_PROMPT)


def edited(current: Caption | None, edit: Edit) -> Draft:
    """Return what an edit makes of the current version; raises `CaptionInvalid` with every field at fault."""
    base = Draft(current.text, current.alt_text, tuple(current.hashtags), current.description) if current else Draft("")
    faults: list[FieldError] = []
    parts: dict[str, str] = {}
    for pointer, name, value, most in (
        ("/caption", "text", edit.text, MAX_TEXT),
        ("/alt_text", "alt_text", edit.alt_text, MAX_ALT_TEXT),
    ):
        if value is not None:
            try:
                parts[name] = _checked(pointer, value, most)
            except CaptionInvalid as fault:
                faults.extend(fault.errors)
    tags = base.hashtags if edit.hashtags is None else tuple(tag.strip().lstrip("#\uff03") for tag in edit.hashtags)
    if len(tags) > MAX_HASHTAGS:
        faults.append(FieldError("/hashtags", "too-many", f"At most {MAX_HASHTAGS} hashtags."))
    faults.extend(
        FieldError(f"/hashtags/{i}", "hashtag-invalid", "Letters, digits and _ only, with a letter among them.")
        for i, tag in enumerate(tags)
        if not _is_hashtag(tag)
    )
    if faults:
        raise CaptionInvalid("Correct the fields that `errors` names, and send it again.", errors=faults)
    return replace(base, hashtags=_distinct(tags), **parts)


def harmless(answer: Draft, *, given: str) -> Draft:
    """Return a machine's answer without what it may have been talked into, and within every limit.

    Links and mentions that the person's own wish (`given`) has may stay. Raises `ValueError` where no text is left.
    """
    text = _tamed(answer.text, given)[:MAX_TEXT].rstrip()
    if not text:
        raise ValueError("The answer has no text")
    tags = (_NOT_IN_HASHTAG.sub("", tag) for tag in answer.hashtags)
    return Draft(
        text=text,
        alt_text=_tamed(answer.alt_text, given)[:MAX_ALT_TEXT].rstrip(),
        hashtags=_distinct(tag for tag in tags if _is_hashtag(tag))[:MAX_MACHINE_HASHTAGS],
        description=_tamed(answer.description, given)[:MAX_DESCRIPTION].rstrip(),
    )


def _tamed(text: str, given: str) -> str:
    text = "".join(letter for letter in unicodedata.normalize("NFC", text) if _shown(letter))
    allowed = set(given.split())
    before = None
    while text != before:  # what is taken out may join its neighbours to something else to take out
        before = text
        for pattern in (_MAIL_OR_MENTION, _LINK):
            text = pattern.sub(lambda found: found[0] if found[0] in allowed else "", text)
    return _BLANK_LINES.sub("\n\n", _SPACES.sub(" ", text)).strip()


def _shown(letter: str) -> bool:
    return letter == "\n" or letter in _JOINERS or unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Co", "Cn")


def _checked(pointer: str, value: str, most: int) -> str:
    value = value.replace("\r\n", "\n").strip()
    if len(value) > most:
        fault = FieldError(pointer, "too-long", f"At most {most} characters.")
    elif not all(letter == "\t" or _shown(letter) for letter in value):
        fault = FieldError(pointer, "unprintable", "It has a control character, or one that cannot be seen.")
    else:
        return value
    raise CaptionInvalid(f"{fault.detail} Correct it and send it again.", errors=[fault])


def _is_hashtag(tag: str) -> bool:
    return 1 <= len(tag) <= MAX_HASHTAG and not _NOT_IN_HASHTAG.search(tag) and any(map(str.isalpha, tag))


def _distinct(tags: Iterable[str]) -> tuple[str, ...]:
    found: dict[str, str] = {}
    for tag in tags:
        found.setdefault(tag.casefold(), tag)
    return tuple(found.values())
