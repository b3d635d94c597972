"""A tenant's settings: what may stand in them, and what stands in for one that was never set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args
from zoneinfo import available_timezones

import langcodes

from socialflow.errors import FieldError
from socialflow.tenants.refusals import UnusableSetting

Approval = Literal["none", "optional", "required"]
APPROVALS: tuple[Approval, ...] = get_args(Approval)
SUPPORT_ACCESS = ("allowed", "refused")
MOST_LANGUAGES = 20
BRAND_VOICE_LENGTH = 2_000
MOST_USD = 1_000_000
MOST_MODELS = 3
MOST_BANNED = 100
BANNED_LENGTH = 60
NAME_LENGTH = 200


@dataclass(frozen=True)
class TenantSettings:
    """What a tenant's people have settled for all of them."""

    time_zone: str = "UTC"
    approval: str = "optional"
    brand_voice: str = ""
    languages: Sequence[str] = ("en",)
    banned_words: Sequence[str] = ()
    """Words that no model's caption may have, whole and in any case."""
    ai_models: Sequence[str] = ()
    """The models that write captions, the first choice first; none: the platform's."""
    ai_budget_usd: float | None = None
    """A month's end of spending on AI below the plan's; None: the plan's own."""
    support_access: str = "allowed"
    """Whether our operators may look in, for a reason and some hours."""

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "TenantSettings":
        """Read what is stored; whatever else is there is not ours."""
        return cls(**{name: stored[name] for name in cls.__dataclass_fields__ if name in stored})


def checked(wish: Mapping[str, Any]) -> dict[str, Any]:
    """Return the named settings as they are stored; raises `UnusableSetting` for an unknown or unusable one."""
    unknown = sorted(wish.keys() - _CHECKS.keys())
    if unknown:
        raise _unusable(unknown[0], "unknown-setting", f"There is no setting {unknown[0]!r}.")
    return {name: _CHECKS[name](value) for name, value in wish.items()}


def checked_name(name: str, at: str = "/name") -> str:
    """Return a tenant's name, trimmed; raises `UnusableSetting`."""
    trimmed = name.strip()
    if 1 <= len(trimmed) <= NAME_LENGTH and trimmed.isprintable():
        return trimmed
    detail = f"A name has 1 to {NAME_LENGTH} characters, all of them printable."
    raise UnusableSetting(detail, errors=[FieldError(at, "name-invalid", detail)])


def _time_zone(value: object) -> str:
    if isinstance(value, str) and value in _zones():
        return value
    raise _unusable("time_zone", "unknown-zone", "Use a time zone's IANA name, such as Europe/Berlin.")


def _approval(value: object) -> str:
    if value in APPROVALS:
        return str(value)
    raise _unusable("approval", "unknown-policy", f"An approval policy is one of {', '.join(APPROVALS)}.")


def _support_access(value: object) -> str:
    if value in SUPPORT_ACCESS:
        return str(value)
    raise _unusable("support_access", "unknown-answer", f"Support access is one of {', '.join(SUPPORT_ACCESS)}.")


def _brand_voice(value: object) -> str:
    if isinstance(value, str) and len(value) <= BRAND_VOICE_LENGTH and "\x00" not in value:
        return value.strip()
    raise _unusable("brand_voice", "too-long", f"A brand voice has at most {BRAND_VOICE_LENGTH} characters.")


def _languages(value: object) -> list[str]:
    tags = list(value) if isinstance(value, list | tuple) else []
    if not 1 <= len(tags) <= MOST_LANGUAGES:
        raise _unusable("languages", "number-of-languages", f"Name 1 to {MOST_LANGUAGES} languages.")
    found = [_language(tag, index) for index, tag in enumerate(tags)]
    return list(dict.fromkeys(found))


def _banned_words(value: object) -> list[str]:
    words = list(value) if isinstance(value, list | tuple) else [None]
    if len(words) > MOST_BANNED:
        raise _unusable("banned_words", "number-of-words", f"Name at most {MOST_BANNED} words.")
    for index, word in enumerate(words):
        if not isinstance(word, str) or not 1 <= len(word.strip()) <= BANNED_LENGTH or not word.isprintable():
            raise _unusable(f"banned_words/{index}", "unusable-word", f"A word has 1 to {BANNED_LENGTH} characters.")
    return list(dict.fromkeys(str(word).strip() for word in words))


def _ai_models(value: object) -> list[str]:
    names = list(value) if isinstance(value, list | tuple) else [None]
    if len(names) > MOST_MODELS or not all(isinstance(name, str) and 1 <= len(name) <= 120 for name in names):
        raise _unusable("ai_models", "number-of-models", f"Name at most {MOST_MODELS} models.")
    return list(dict.fromkeys(map(str, names)))


def _ai_budget(value: object) -> float:
    # Whole cents: what is less is no budget of a person's.
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MOST_USD:
        return round(float(value), 2)
    raise _unusable("ai_budget_usd", "not-an-amount", f"A budget is 0 to {MOST_USD:,} US dollars a month.")


def _language(tag: object, index: int) -> str:
    """Return the tag as BCP 47 writes it: `de-at` is de-AT."""
    try:
        # Its own check takes underscores for hyphens, and BCP 47 does not.
        if isinstance(tag, str) and "_" not in tag and langcodes.tag_is_valid(tag):
            return langcodes.standardize_tag(tag)
    except ValueError:
        pass
    raise _unusable(f"languages/{index}", "unknown-language", "Use a BCP 47 tag, such as en or pt-BR.")


_CHECKS = {
    "time_zone": _time_zone,
    "approval": _approval,
    "brand_voice": _brand_voice,
    "languages": _languages,
    "banned_words": _banned_words,
    "ai_models": _ai_models,
    "ai_budget_usd": _ai_budget,
    "support_access": _support_access,
}


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones()) - {"Factory", "localtime"}


def _unusable(name: str, code: str, detail: str) -> UnusableSetting:
    return UnusableSetting(detail, errors=[FieldError(f"/settings/{name}", code, detail)])
