"""What is wished of a caption, from the data beside the picture: whatever cannot be read is as if it were not there."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from infra_cdk.local.offline_ai.words import LANGUAGES, Words
from socialflow.captions.style import MAX_ALTERNATIVES, SENTENCES

_MOST_SENTENCES = {SENTENCES["short"]: 1, SENTENCES["medium"]: 3, SENTENCES["long"]: 6}
NO_END = 1_000_000


@dataclass(frozen=True)
class Wish:
    """How a caption is to be: at the most so many sentences and characters, its hashtags included."""

    tone: str = ""
    sentences: int = 3
    language: str = "en"
    characters: int = NO_END
    alternatives: int = 1
    taken_at: datetime | None = None

    @classmethod
    def of(cls, told: Any) -> "Wish":
        """Read the data of a question."""
        data = told if isinstance(told, dict) else {}
        length, characters, count = (data.get(name) for name in ("length", "characters", "alternatives"))
        return cls(
            tone=str(data.get("tone", "")),
            sentences=_MOST_SENTENCES.get(length, 3) if isinstance(length, str) else 3,
            language=str(data.get("language", "en")).lower().split("-", 1)[0],
            characters=characters if isinstance(characters, int) and characters > 0 else NO_END,
            alternatives=min(max(count, 1), MAX_ALTERNATIVES) if isinstance(count, int) else 1,
            taken_at=_moment(data.get("taken_at")),
        )

    @property
    def words(self) -> Words:
        """The language's words; English for one that is not spoken here."""
        return LANGUAGES.get(self.language, LANGUAGES["en"])


def wished(texts: Iterable[str]) -> Wish:
    """Read the first of a message's texts that is an object."""
    for text in texts:
        try:
            told = json.loads(text)
        except ValueError:
            continue
        if isinstance(told, dict):
            return Wish.of(told)
    return Wish()


def _moment(told: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(told)
    except (ValueError, TypeError):
        return None
