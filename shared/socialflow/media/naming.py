"""What a file is called when somebody saves it."""

import re
from pathlib import PurePosixPath
from typing import Literal
from urllib.parse import quote

from socialflow.media.model import MediaItem

MAX_ENCODED = 900
"""Bytes of a name as it stands in a header: it is part of an address, and those have an end."""
_NO_NAME = re.compile(r"[/\\\x00-\x1f\x7f]")
_NOT_ASCII = re.compile(r"[^A-Za-z0-9 ._()-]")


def saved_as(item: MediaItem, variant: str, object_key: str) -> str:
    """Return the name of an original as it was uploaded, of a variant by the title or that name."""
    if variant == "original":
        return item.file_name
    stem = _NO_NAME.sub("-", item.title).strip(" .") or PurePosixPath(item.file_name).stem
    return f"{stem}-{variant}{PurePosixPath(object_key).suffix}"


def disposition(how: Literal["inline", "attachment"], file_name: str) -> str:
    """Return a Content-Disposition (RFC 6266) for a name of any script; whoever reads only ASCII gets a plain one."""
    name = _shortened(file_name)
    plain = _NOT_ASCII.sub("_", name)
    return f"{how}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _shortened(file_name: str) -> str:
    path = PurePosixPath(file_name)
    stem, suffix = path.stem, path.suffix[:20]
    while len(quote(stem + suffix, safe="")) > MAX_ENCODED:
        stem = stem[:-1]
    return stem + suffix
