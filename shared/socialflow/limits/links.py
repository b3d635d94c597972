"""Where X finds links in a text, as its published twitter-text does: each counts the same, whatever its length.

A text is gone through once, however hostile it is: where a host would end is found from the right for all of its
beginnings at once, and no pattern goes back over what it has taken.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

Span = tuple[int, int]

_LATIN = "À-ÖØ-öø-ɏɓɔɖɗəɛɣɨɯɲʉʻ\u0300-\u036fḀ-\u1eff"
_CYRILLIC = "\u0400-\u04ff"
_DIRECTIONS = "\u202a-\u202e\u061c\u200e\u200f\u2066-\u2069"
_SPACES = "\t-\r \x85\xa0\u1680\u180e\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_NEVER = "\ufffe\ufeff\uffff"
_LETTER = re.compile(rf"[^!'#%&()*+,\\\-./:;<=>?@\[\]^_{{|}}~${_SPACES}{_NEVER}{_DIRECTIONS}]")
_RUN = re.compile(rf"[^!'#%&()*+,\\/:;<=>?@\[\]^{{|}}~${_SPACES}{_NEVER}{_DIRECTIONS}]+")
"""What a host consists of: letters, hyphens, underscores and dots."""
_PROTOCOL = re.compile(r"https?://", re.ASCII | re.IGNORECASE)
_MAY_PRECEDE = re.compile(rf"[^A-Za-z0-9@\uff20$#\uff03{_NEVER}]")
_NOT_BEFORE_A_BARE_HOST = "-_./"

_PLAIN_LABELS = re.compile(rf"(?:[-a-zA-Z0-9{_LATIN}]++\.)++")
_ALNUM = re.compile(r"[0-9A-Za-z]*")
_FOREIGN = re.compile(r"[^\x00-\x7f]{1,24}")
_GOES_ON = re.compile(r"[0-9A-Za-z@+-]")
_PUNYCODE = re.compile(r"xn--[-0-9a-z]+", re.ASCII | re.IGNORECASE)

_IN_PATH = rf"[a-zA-Z{_CYRILLIC}0-9!*';:=+,.$/%#\[\]\-\u2013_~@|&{_LATIN}]"
_PARENTHESES = rf"\((?:{_IN_PATH}++|{_IN_PATH}*+\({_IN_PATH}++\){_IN_PATH}*+)\)"
_PORT = re.compile(r":[0-9]+")
_PATH = re.compile(rf"/(?:{_IN_PATH}|{_PARENTHESES})*+")
_ENDS_PATH = re.compile(rf"[+\-a-zA-Z{_CYRILLIC}0-9=_#/{_LATIN})]")
_QUERY = re.compile(r"\?[a-zA-Z0-9!?*'@();:&=+$/%#\[\]\-_.,~|]*+")
_ENDS_QUERY = re.compile(r"[a-zA-Z0-9\-_&=#/]")

_SHORTENED = re.compile(r"https?://t\.co/([a-zA-Z0-9]+)(\?[a-zA-Z0-9!?*'@();:&=+$/%#\[\]\-_.,~|]*+)?", re.IGNORECASE)
_LONGEST_SLUG = 40
_LONGEST_LABEL = 63
_LONGEST_LINK = 4096


@cache
def weights() -> dict[str, str]:
    """Return the dated data of X's counting."""
    found: dict[str, str] = json.loads((files(__package__) / "counting" / "x.json").read_text("utf-8"))
    return found


@cache
def _top_level() -> frozenset[str]:
    return frozenset(weights()["top_level_domains"].split())


def links(text: str) -> Iterator[Span]:
    """Return where the links of a text begin and end, in order."""
    taken = position = 0
    while run := _RUN.search(text, position):
        begin, end = run.span()
        hosts = _Hosts(text, begin, end)
        start = begin
        while (host := hosts.next(start, taken)) is not None:
            spans, taken = _link(text, *host)
            yield from spans
            start = taken + 1
        position = max(end, taken)


class _Hosts:
    """The hosts in a run of what hosts consist of. Ends are found from the right, each once."""

    def __init__(self, text: str, begin: int, end: int) -> None:
        self._text, self._begin, self._label = text, begin, 0
        self._dots = [index for index in range(begin, end) if text[index] == "."]
        self._ends: list[int | None] = [None] * (len(self._dots) + 1)
        for label in range(len(self._dots) - 1, 0, -1):
            self._ends[label] = self._end(self._dots[label - 1] + 1, label)

    def next(self, start: int, taken: int) -> tuple[int | None, int, int] | None:
        """Return protocol, beginning and end of the first host from `start`, before which all until `taken` is given.

        A beginning is not asked for twice, nor one before the last.
        """
        while self._label < len(self._dots):
            dot = self._dots[self._label]
            for begin in range(start, dot):
                protocol = _protocol_before(self._text, begin, taken) if begin == self._begin else None
                bare = self._begins_all(dot) if begin == 0 else begin > taken and self._may_precede(begin - 1)
                if (protocol is not None or bare) and (end := self._end(begin, self._label)) is not None:
                    return protocol, begin, end
            start, self._label = max(start, dot + 1), self._label + 1
        return None

    def _begins_all(self, dot: int) -> bool:
        """Tell whether a host may begin with the text: X prefers to take the first letter for what precedes one."""
        return dot == 1 or not self._may_precede(0) or self._end(1, 0) is None

    def _may_precede(self, at: int) -> bool:
        return _MAY_PRECEDE.match(self._text, at) is not None

    def _end(self, begin: int, label: int) -> int | None:
        """Return where the longest host ends that begins in a label."""
        text, dot = self._text, self._dots[label]
        if begin >= dot or not (_LETTER.match(text, begin) and _LETTER.match(text, dot - 1)):
            return None
        further = self._ends[label + 1]
        if further is not None:
            return further
        return None if text.find("_", begin, dot) >= 0 else _top_level_end(text, dot + 1, len(text))


def _protocol_before(text: str, begin: int, taken: int) -> int | None:
    """Return where the protocol in front of a host begins, if it may stand there."""
    for protocol in ("https://", "http://"):
        first = begin - len(protocol)
        if first < 0 or text[first:begin].lower() != protocol:
            continue
        if first == 0 or (first > taken and _MAY_PRECEDE.match(text, first - 1)):
            return first
    return None


def _top_level_end(text: str, at: int, limit: int) -> int | None:
    """Return where the top-level domain ends that begins there, None where none does."""
    plain = _ALNUM.match(text, at, limit)
    end = plain.end() if plain else at
    if end > at:
        if text[at:end].lower() in _top_level() and not _GOES_ON.match(text, end, limit):
            return end
        coded = _PUNYCODE.match(text, at, limit)
        return coded.end() if coded else None
    foreign = _FOREIGN.match(text, at, limit)
    for end in range(foreign.end() if foreign else at, at, -1):
        if text[at:end].lower() in _top_level() and not _GOES_ON.match(text, end, limit):
            return end
    return None


def _link(text: str, protocol: int | None, begin: int, host_end: int) -> tuple[list[Span], int]:
    """Return the links that a host begins, and the end of all that it takes."""
    path, end = _rest(text, host_end)
    length = end - (begin if protocol is None else protocol)
    if not _is_host(text[begin:host_end], length + (0 if protocol is not None else len("https://"))):
        return [], end
    if protocol is not None:
        shortened = _SHORTENED.match(text, protocol, end)
        if shortened is None:
            return [(protocol, end)], end
        if len(shortened[1]) > _LONGEST_SLUG:
            return [], end
        # What follows the short address is no part of it, and yet is not looked at again.
        return [(protocol, _trimmed(text, shortened.end(1), shortened.end(), _ENDS_QUERY))], end
    if begin and text[begin - 1] in _NOT_BEFORE_A_BARE_HOST:
        return [], end
    spans = _plain_hosts(text, begin, host_end)
    if spans and path:
        first, last = spans[-1]
        spans[-1] = (first, last + end - host_end)
    return spans, end


def _rest(text: str, at: int) -> tuple[bool, int]:
    """Return whether a path follows a host, and where port, path and query end."""
    port = _PORT.match(text, at)
    at = port.end() if port else at
    path = _PATH.match(text, at)
    if path:
        at = _trimmed(text, path.start() + 1, path.end(), _ENDS_PATH)
    query = _QUERY.match(text, at)
    if query:
        end = _trimmed(text, at + 1, query.end(), _ENDS_QUERY)
        at = end if end > at + 1 else at
    return path is not None, at


def _trimmed(text: str, begin: int, end: int, may_end: re.Pattern[str]) -> int:
    while end > begin and not may_end.match(text, end - 1):
        end -= 1
    return end


def _plain_hosts(text: str, begin: int, end: int) -> list[Span]:
    """Return the parts of a bare host that are hosts in Latin letters: no other is a link without its protocol."""
    spans: list[Span] = []
    for labels in _PLAIN_LABELS.finditer(text, begin, end):
        dot = labels.end()
        while dot > labels.start():
            last = _top_level_end(text, dot, end)
            if last is not None:
                spans.append((labels.start(), last))
                break
            dot = text.rfind(".", labels.start(), dot - 1) + 1
    return spans


def _is_host(host: str, length: int) -> bool:
    labels = [label if label.isascii() else "xn--" + label.encode("punycode").decode() for label in host.split(".")]
    if host.startswith("xn--") and not _plain_hosts(host, 0, len(host)):
        return False
    return length <= _LONGEST_LINK and all(len(label) <= _LONGEST_LABEL for label in labels)
