"""LinkedIn's little text format: what is not escaped ends a post there, silently and with success."""

import re

_RESERVED = re.compile(r"[\\|{}@\[\]()<>#*_~]")
_ESCAPED = re.compile(r"\\([\\|{}@\[\]()<>#*_~])")


def escaped(text: str) -> str:
    """Return a text as LinkedIn has to be given it, to show it as it was written."""
    return _RESERVED.sub(r"\\\g<0>", text)


def unescaped(text: str) -> str:
    """Return what LinkedIn shows of an escaped text."""
    return _ESCAPED.sub(r"\1", text)
