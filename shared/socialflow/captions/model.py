"""What a caption is, what an author may write, and how a machine's answer is made harmless."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from socialflow.errors import Conflict, FieldError, Invalid, NotFound

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
# What only somebody says who speaks to a model, or a model about itself: in a caption it is an echo.
_INSTRUCTION = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:instructions?|prompts?|rules|above|previous|prior)\b"
    r"|\b(?:system|developer)\s+(?:prompt|message|instructions?)\b|\bas an? (?:ai|language model)\b"
    r"|\bjailbreak|\bmaterial and never instructions\b|\bprompt injection\b",
    re.IGNORECASE | re.DOTALL,
)
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
    notes: tuple[str, ...] = ()
    """What was changed in a machine's answer, for whoever reviews it."""


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
    network: str | None = None
    """What the version is for: without a network it is the caption under review."""
    alternative: int = 1


@dataclass(frozen=True)
class Wish:
    """What a person wishes for, and when it is their turn, where that is known already."""

    prompt: str = ""
    style: Mapping[str, Any] = field(default_factory=dict)
    turn_at: datetime | None = None


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
    network: str | None = None
    alternative: int = 1
    notes: Sequence[str] = ()

    @property
    def rendered(self) -> str:
        """The text as it is published: hashtags follow after a blank line."""
        return rendered(self.text, self.hashtags)


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
    requested_at: datetime
    style: Mapping[str, Any]
    turn_at: datetime | None


class Skipped(Exception):
    """No caption was written: `reason` for programs, `detail` for the person who will write it instead."""

    def __init__(self, reason: str, detail: str) -> None:
        """Take a kebab-case reason and a sentence that says what to do."""
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class CaptionUnderWay(Conflict):
    """Another caption of the media item is being written."""

    code, title = "caption-under-way", "A caption is being written"


class CannotCaption(Conflict):
    """The media item is not where a caption can be asked for."""

    code, title = "cannot-caption", "No caption can be written now"


class RequestNotFound(NotFound):
    """There is no such wish for a caption."""

    code, title = "caption-request-not-found", "No such request"


class VersionNotFound(NotFound):
    """The caption has no such version."""

    code, title = "caption-version-not-found", "No such version"


def rendered(text: str, hashtags: Sequence[str]) -> str:
    """Return a caption as it is published: hashtags follow after a blank line."""
    tags = " ".join(f"#{tag}" for tag in hashtags)
    return "\n\n".join(part for part in (text, tags) if part)


def checked_prompt(prompt: str, at: str = "/caption/prompt") -> str:
    """Return a person's wish, trimmed; raises `CaptionInvalid`."""
    return _checked(at, prompt, MAX_PROMPT)


def edited(current: Caption | None, edit: Edit) -> Draft:
    """Return what an edit makes of the current version; raises `CaptionInvalid` with every field at fault."""
    base = Draft(current.text, current.alt_text, tuple(current.hashtags), current.description) if current else Draft("")
    faults: list[FieldError] = []
    parts: dict[str, Any] = {}
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
    notes: set[str] = set()
    text = _tamed(answer.text, given, notes)[:MAX_TEXT].rstrip()
    if not text:
        raise ValueError("The answer has no text")
    tags = (_NOT_IN_HASHTAG.sub("", tag) for tag in answer.hashtags)
    description = _tamed(answer.description, given, notes)[:MAX_DESCRIPTION].rstrip()
    alt_text = _tamed(answer.alt_text, given, notes)[:MAX_ALT_TEXT].rstrip()
    return Draft(
        text=text,
        alt_text=alt_text or description or text,  # who cannot see the picture is told something in any case
        hashtags=_distinct(tag for tag in tags if _is_hashtag(tag))[:MAX_MACHINE_HASHTAGS],
        description=description,
        notes=tuple(sorted(notes)),
    )


def check_usable(draft: Draft, *, banned: Sequence[str]) -> None:
    """Raise `ValueError` for a machine's text that repeats instructions, or has a word that the tenant has banned."""
    said = " ".join((draft.text, draft.alt_text, draft.description, *draft.hashtags))
    if _INSTRUCTION.search(said):
        raise ValueError("The answer repeats instructions")
    for word in banned:
        if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", said, re.IGNORECASE):
            raise ValueError("The answer has a banned word")


def _tamed(text: str, given: str, notes: set[str]) -> str:
    shown = "".join(letter for letter in unicodedata.normalize("NFC", text) if _shown(letter))
    if len(shown) < len(unicodedata.normalize("NFC", text)):
        notes.add("hidden-characters-removed")
    allowed, before = set(given.split()), None
    while shown != before:  # what is taken out may join its neighbours to something else to take out
        before = shown
        for pattern, note in ((_MAIL_OR_MENTION, "mention-removed"), (_LINK, "link-removed")):
            shown = pattern.sub(lambda found: found[0] if found[0] in allowed else "", shown)
            if shown != before:
                notes.add(note)
                break
    return _BLANK_LINES.sub("\n\n", _SPACES.sub(" ", shown)).strip()


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
