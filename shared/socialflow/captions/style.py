"""How a caption is wished for: a person's words, and a choice of tone, length, language, network and number."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import langcodes

from socialflow.captions.model import CaptionInvalid
from socialflow.errors import FieldError
from socialflow.limits import NETWORKS, canonical

Tone = Literal["neutral", "friendly", "playful", "professional", "inspiring"]
Length = Literal["short", "medium", "long"]

MAX_ALTERNATIVES = 4
SENTENCES: Mapping[Length, str] = {"short": "one sentence", "medium": "one to three sentences", "long": "up to six"}


@dataclass(frozen=True)
class Style:
    """What is left None is the captioner's choice; without a network the caption is the one under review."""

    tone: Tone | None = None
    length: Length | None = None
    language: str | None = None
    network: str | None = None
    alternatives: int = 1

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Style":
        """Read what is stored; what a newer release has written beside it is not ours."""
        return cls(**{name: stored[name] for name in cls.__dataclass_fields__ if name in stored})

    def stored(self) -> dict[str, Any]:
        """Return what was chosen."""
        chosen = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: value for name, value in chosen.items() if value is not None}

    def checked(self) -> "Style":
        """Return it as it is kept: names as they are written; raises `CaptionInvalid`."""
        network = canonical(self.network.strip().lower()) if self.network else None
        faults = []
        if network is not None and network not in NETWORKS:
            faults.append(FieldError("/network", "unknown-network", f"Networks are {', '.join(NETWORKS)}."))
        language = _language(self.language)
        if self.language and language is None:
            faults.append(FieldError("/language", "unknown-language", "Use a BCP 47 tag, such as en or pt-BR."))
        if faults:
            raise CaptionInvalid("Correct the fields that `errors` names, and send it again.", errors=faults)
        return Style(self.tone, self.length, language, network, self.alternatives)


def _language(tag: str | None) -> str | None:
    try:
        if tag and "_" not in tag and langcodes.tag_is_valid(tag):
            return langcodes.standardize_tag(tag)
    except ValueError:
        pass
    return None
