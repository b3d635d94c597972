"""Which characters a text of people's may have: every script, what joins letters and emoji, blanks of any width."""

import unicodedata

# Controls, halves of surrogate pairs and separators of lines; what turns the direction of what follows it.
_REFUSED = frozenset({"Cc", "Cs", "Zl", "Zp"})
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def is_plain(text: str, *, lines: bool = False) -> bool:
    """Tell whether a text has nothing but what people write; `lines` allows the ends of lines."""
    return all(
        (lines and letter == "\n") or (letter not in _TURNING and unicodedata.category(letter) not in _REFUSED)
        for letter in text
    )
