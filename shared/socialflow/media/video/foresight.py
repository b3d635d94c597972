"""How far a conversion is, and whether it will end in time: what will not is given up within seconds."""

import math
import time
from collections.abc import Callable

from socialflow.media.model import UnfitFile

Progress = Callable[[int], None]
Clock = Callable[[], float]

_FIRST_LOOK, _SURE, _DOUBT = 4.0, 15.0, 1.3
"""Seconds of work after which the end is foretold, and after which it is believed; before, it may be so much sooner."""
_OF_IT = 0.8
"""How much of what could be done in the time is promised."""


class Foresight:
    """Watches a conversion; `deadline` is by the clock."""

    def __init__(self, progress: Progress, deadline: float, *, clock: Clock = time.monotonic) -> None:
        """`progress` is told each percent."""
        self.deadline = deadline
        self.failure: Exception | None = None
        """What whoever is told has raised: it is theirs, and no fault of the video."""
        self._progress, self._told = progress, -1
        self._clock = clock
        self._began: float | None = None

    def begin_again(self) -> None:
        """Start counting anew: what was told is not taken back."""
        self._began = None

    def tell(self, percent: int) -> None:
        """Tell each percent once."""
        if percent <= self._told:
            return
        self._told = percent
        try:
            self._progress(percent)
        except Exception as error:
            self.failure = error
            raise

    def look(self, part: float, seconds: float) -> None:
        """Take how much of a video of a length is done; raises `UnfitFile` where the rest will not be in time."""
        self.tell(min(99, int(part * 100)))
        now = self._clock()
        if self._began is None:
            self._began = now  # opening and setting up are the same for a long one as for a short one
        worked, given = now - self._began, self.deadline - self._began
        if worked < min(_FIRST_LOOK, given / 4) and now < self.deadline:
            return
        whole = worked / part if part > 0 else math.inf
        if whole > given * (_DOUBT if worked < _SURE else 1.0) or now >= self.deadline:
            raise _too_slow(whole, given, seconds)


def words(seconds: float) -> str:
    """Return a length in words."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _too_slow(whole: float, given: float, seconds: float) -> UnfitFile:
    possible = "" if math.isinf(whole) else f" to about {words(seconds * given / whole * _OF_IT)}"
    return UnfitFile(
        "too-long", f"Converting the video takes longer than there is time. Shorten it{possible}, or save it smaller."
    )
