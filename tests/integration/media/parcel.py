"""An upload in three parts, sent piece by piece."""

from dataclasses import dataclass
from typing import Any

import boto3

from socialflow.media.upload_model import SMALLEST_PART
from tests.api import Reply
from tests.integration.media.conftest import Studio


@dataclass(frozen=True)
class Parcel:
    """An upload in three parts, and who sends it."""

    studio: Studio
    id: str
    data: bytes

    @property
    def path(self) -> str:
        """Where it is resumed."""
        return f"/v1/media/{self.id}/upload"

    def upload_id(self) -> str:
        """Where the bucket collects it."""
        return str(self.studio.value("SELECT upload_id FROM t_acme.media_items WHERE id = %s", self.id))

    def send(self, *numbers: int, data: bytes | None = None) -> None:
        """Send parts, as their addresses would."""
        for number in numbers:
            begin = (number - 1) * SMALLEST_PART
            boto3.client("s3").upload_part(
                Bucket=self.studio.cloud.bucket,
                Key=self.studio.key(self.id),
                UploadId=self.upload_id(),
                PartNumber=number,
                Body=self.data[begin : begin + SMALLEST_PART] if data is None else data,
            )

    def resume(self, query: str = "") -> dict[str, Any]:
        """Ask what is missing."""
        reply = self.studio.client.get(self.path + query)
        assert reply.status == 200, reply
        found: dict[str, Any] = reply.json
        return found

    def complete(self) -> Reply:
        """Have it put together."""
        return self.studio.client.post(f"{self.path}/complete")

    def stored(self) -> bytes:
        """What the bucket has of it."""
        found = boto3.client("s3").get_object(Bucket=self.studio.cloud.bucket, Key=self.studio.key(self.id))
        return bytes(found["Body"].read())

    def uploads(self) -> int:
        """How many uploads in parts the bucket has open."""
        return len(boto3.client("s3").list_multipart_uploads(Bucket=self.studio.cloud.bucket).get("Uploads", []))
