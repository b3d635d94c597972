"""What may be uploaded, in how many parts, and how an upload is refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Self
from uuid import UUID

from socialflow.errors import Conflict, FieldError, Invalid
from socialflow.media.model import EXTENSIONS, MAX_SIZES, Kind, MediaItem
from socialflow.media.texts import is_plain

MAX_FILE_NAME = 255
MIB = 1024 * 1024
LARGEST_WHOLE = 100 * MIB
"""Bytes up to which a file is sent as a whole, unless its sender wishes for parts."""
SMALLEST_PART = 8 * MIB
"""S3 takes no smaller part than 5 MiB, the last one excepted; a part is what a lost connection costs."""
MOST_PARTS = 10_000
MOST_SIGNED = 100
"""Parts whose addresses are in one answer: each is a kilobyte and more."""
MOST_NAMED = 100
"""Parts that a refusal names."""
PARTS_TTL = timedelta(days=1)
"""How long an upload in parts may take: the bucket forgets its parts no earlier."""
MAX_BATCH = 100
ABANDONED = timedelta(days=1)
"""Since its address died, for so long an upload waits to be announced again before it is given up."""


class UploadTypeRefused(Invalid):
    """The announced type is not taken."""

    code, title = "upload-type-refused", "This type of file is not taken"


class UploadTooLarge(Invalid):
    """The announced size is over the limit."""

    code, title = "upload-too-large", "The file is too large"


class FileNameInvalid(Invalid):
    """The file name cannot be shown or stored."""

    code, title = "file-name-invalid", "The file name cannot be used"


class UploadIdTaken(Conflict):
    """The client's id belongs to another upload."""

    code, title = "upload-id-taken", "The id belongs to another upload"


class UploadArrived(Conflict):
    """The upload is over: its file is here."""

    code, title = "upload-arrived", "The file has arrived already"


class UploadExpired(Conflict):
    """Nothing can be sent to the upload any more."""

    code, title = "upload-expired", "The upload has expired"


class UploadMissing(Conflict):
    """Nothing has arrived at the upload's address."""

    code, title = "upload-missing", "Nothing has been uploaded yet"


class UploadIncomplete(Conflict):
    """Parts of the file are missing, or have another size than they were signed for."""

    code, title = "upload-incomplete", "Parts of the file are missing"


class UploadSentWhole(Conflict):
    """The upload has no parts."""

    code, title = "upload-sent-whole", "The file is not sent in parts"


class UploadSizeDiffers(Conflict):
    """What arrived has another size than was announced."""

    code, title = "upload-size-differs", "The uploaded file has another size than was announced"


class DuplicateMedia(Conflict):
    """The tenant has a file with the announced content."""

    code, title = "duplicate-media", "You have this file already"


@dataclass(frozen=True)
class Announcement:
    """What a client says it will upload; the same announcement again is the same upload."""

    file_name: str
    content_type: str
    size: int
    sha256: bytes | None = None
    in_parts: bool = False

    @classmethod
    def of(cls, item: MediaItem) -> Self:
        """Return what a media item's upload was announced as."""
        in_parts = item.part_size is not None
        return cls(item.file_name, item.declared_type, item.declared_size, item.declared_sha256, in_parts)

    @property
    def extension(self) -> str:
        """The extension of the object's key."""
        return EXTENSIONS[self.content_type]

    @property
    def kind(self) -> Kind:
        """Whether it is a picture or a video."""
        return "video" if self.content_type.startswith("video/") else "image"

    @property
    def part_size(self) -> int | None:
        """Bytes of each part but the last; None for a file that is sent as a whole."""
        return part_size(self.size) if self.in_parts else None

    def check(self) -> None:
        """Raise the refusal that an upload like this meets, whatever the plan."""
        if self.content_type not in EXTENSIONS:
            raise UploadTypeRefused(
                f"Upload a file of one of these types, and announce it as such: {', '.join(EXTENSIONS)}.",
                errors=[FieldError("/content_type", "type-not-supported")],
                allowed=sorted(EXTENSIONS),
            )
        most = MAX_SIZES[self.kind]
        if self.size > most:
            raise UploadTooLarge(
                f"An upload of this type has at most {most // MIB} MB. Make the file smaller.",
                errors=[FieldError("/size", "too-large")],
                limit=most,
            )
        if self.size < 1:
            raise Invalid("An upload has at least one byte.", errors=[FieldError("/size", "too-small")])
        _check_name(self.file_name)


@dataclass(frozen=True)
class Upload:
    """An upload that is about to come."""

    id: UUID
    announced: Announcement
    object_key: str
    expires_at: datetime
    created_by: UUID
    created_at: datetime


@dataclass(frozen=True)
class Expired:
    """An upload that nobody has told of while something could be sent to it."""

    id: UUID
    object_key: str
    upload_id: str | None
    expired_at: datetime


@dataclass(frozen=True)
class Part:
    """A part as the bucket has it."""

    number: int
    size: int
    etag: str


@dataclass(frozen=True)
class Parts:
    """A file of `size` bytes, cut into parts of `part_size`, which are numbered from 1."""

    size: int
    part_size: int

    @property
    def count(self) -> int:
        """How many there are."""
        return -(-self.size // self.part_size)

    def size_of(self, number: int) -> int:
        """Return the bytes of a part: the last has the rest."""
        return min(self.part_size, self.size - (number - 1) * self.part_size)

    def received(self, found: Mapping[int, Part]) -> list[int]:
        """Return the numbers of the parts that are there as they should be."""
        return [number for number in range(1, self.count + 1) if self._is_sound(number, found)]

    def missing(self, found: Mapping[int, Part], *, after: int = 0, most: int = MOST_SIGNED) -> list[int]:
        """Return the numbers of parts behind `after` that are to be sent (again), so many at the most."""
        wanted = (number for number in range(after + 1, self.count + 1) if not self._is_sound(number, found))
        return list(islice(wanted, most))

    def check(self, found: Mapping[int, Part]) -> list[Part]:
        """Return the parts of a complete file in order; raises `UploadIncomplete`, which names the others."""
        wrong = [number for number in range(1, self.count + 1) if not self._is_sound(number, found)]
        if wrong:
            sizes = {str(n): {"size": found[n].size, "wanted": self.size_of(n)} for n in wrong if n in found}
            raise UploadIncomplete(
                f"{len(wrong)} of {self.count} parts are missing or have another size than was signed. "
                "GET the upload for addresses to send them to, then complete it again.",
                missing=[number for number in wrong if number not in found][:MOST_NAMED],
                wrong_size=dict(islice(sizes.items(), MOST_NAMED)),
            )
        return [found[number] for number in range(1, self.count + 1)]

    def _is_sound(self, number: int, found: Mapping[int, Part]) -> bool:
        return number in found and found[number].size == self.size_of(number)


def part_size(size: int) -> int:
    """Return the bytes of each part of a file: whole MiB, and as few as the number of parts allows."""
    least = -(-size // MOST_PARTS)
    return max(SMALLEST_PART, -(-least // MIB) * MIB)


def _check_name(name: str) -> None:
    if not 1 <= len(name) <= MAX_FILE_NAME or name in (".", ".."):
        wrong = f"A file name has 1 to {MAX_FILE_NAME} characters."
    elif not is_plain(name) or {"/", "\\"} & set(name):
        wrong = "A file name has no control characters and no / or \\."
    else:
        return
    raise FileNameInvalid(wrong, errors=[FieldError("/file_name", "file-name-invalid", wrong)])
