"""Files of posts: written as a spreadsheet does, sent as the gateway hands them over, and what is told of them."""

import csv
import io
from typing import Any

from tests.api import Client, Reply, event
from tests.integration.access.routes import digest
from tests.integration.publishing.conftest import Desk

Rows = list[dict[str, Any]]


def sheet(rows: Rows, **options: Any) -> bytes:
    """Write rows as a spreadsheet does."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(dict.fromkeys(name for row in rows for name in row)), **options)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def written(rows: list[list[str]]) -> bytes:
    """Write a header and cells, however many there are."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return out.getvalue().encode(errors="surrogatepass")


def send(client: Client, sent: bytes | str, *, dry: bool = False, base64: bool = True, **headers: str) -> Reply:
    """Send a file, as the gateway hands it over."""
    target = "/v1/posts/import" + ("?dry_run=true" if dry else "")
    given = {**client.headers, "content-type": "text/csv; charset=utf-8"}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    body = sent.encode() if isinstance(sent, str) else sent
    return client.send(event("POST", target, headers=given, body=body if base64 else body.decode(errors="replace")))


def looked(desk: Desk, sent: bytes | str) -> dict[str, Any]:
    reply = send(desk.editor, sent, dry=True)
    assert reply.status == 200, reply
    found: dict[str, Any] = reply.json
    return found


def brought(desk: Desk, sent: bytes | str) -> dict[str, Any]:
    reply = send(desk.editor, sent)
    assert reply.status == 200, reply
    found: dict[str, Any] = reply.json
    return found


def posts(desk: Desk) -> int:
    return int(desk.value("SELECT count(*) FROM t_acme.posts"))


def found(report: dict[str, Any], severity: str = "error") -> list[tuple[int, str, str]]:
    return [
        (line["line"], one["column"], one["code"])
        for line in report["lines"]
        for one in line["findings"]
        if one["severity"] == severity
    ]


def everything(desk: Desk) -> dict[str, str]:
    return digest(desk.owner, "control", "cell", "t_acme", "t_contoso")
