"""A stand-in for a Bluesky server: as much of com.atproto as publishing uses, by the lexicons, in memory.

It refuses what the real one refuses: keys that are no TID, records without their fields, texts that are too long,
facets outside of the text, blobs that were not uploaded, a swap that does not hold, and a refresh token used twice.
"""

import base64
import hashlib
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import regex

from tests import doors

POST = "app.bsky.feed.post"
TID = re.compile("[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}")
HEAVIEST = 1_000_000
HEAVIEST_VIDEO = 100_000_000
ACCESS_LIFE = 7200


class Problem(Exception):
    """A refusal, as XRPC words it."""

    def __init__(self, name: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status, self.body = status, {"error": name, "message": message}


@dataclass
class Account:
    """Somebody's repository."""

    did: str
    handle: str
    passwords: set[str]
    status: str = "active"
    records: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    blobs: dict[str, int] = field(default_factory=dict)


@dataclass
class Asked:
    """A request: what it says, and with which token."""

    query: dict[str, str]
    raw: bytes
    content_type: str
    token: str

    @property
    def body(self) -> dict[str, Any]:
        """The JSON that was sent."""
        found: dict[str, Any] = json.loads(self.raw or b"{}")
        return found


class Stub:
    """The server's memory, and its methods by name."""

    def __init__(self, admin: str) -> None:
        self.admin = "Basic " + base64.b64encode(f"admin:{admin}".encode()).decode()
        self.accounts: dict[str, Account] = {}
        self.tokens: dict[str, tuple[str, str]] = {}
        self.lock = threading.Lock()
        self.methods: dict[str, Callable[[Asked], dict[str, Any]]] = {
            "server.createAccount": self._create_account,
            "server.createAppPassword": self._create_app_password,
            "server.createSession": self._create_session,
            "server.refreshSession": self._refresh_session,
            "server.deleteSession": self._delete_session,
            "server.getSession": self._get_session,
            "server.deactivateAccount": self._deactivate,
            "identity.resolveHandle": self._resolve_handle,
            "repo.uploadBlob": self._upload_blob,
            "repo.putRecord": self._put_record,
            "repo.getRecord": self._get_record,
            "repo.deleteRecord": self._delete_record,
            "repo.listRecords": self._list_records,
            "admin.updateSubjectStatus": self._update_status,
        }

    def answer(self, path: str, asked: Asked) -> tuple[int, dict[str, Any]]:
        """Act on a request, one at a time."""
        method = self.methods.get(path.removeprefix("/xrpc/com.atproto."))
        if method is None:
            return 501, {"error": "MethodNotImplemented", "message": "Method Not Implemented"}
        try:
            with self.lock:
                return 200, method(asked)
        except Problem as problem:
            return problem.status, problem.body

    def _create_account(self, asked: Asked) -> dict[str, Any]:
        did = (
            "did:plc:" + base64.b32encode(hashlib.sha256(asked.body["handle"].encode()).digest()).decode()[:24].lower()
        )
        self.accounts[did] = Account(did, asked.body["handle"], {asked.body["password"]})
        return self._session(did)

    def _create_app_password(self, asked: Asked) -> dict[str, Any]:
        word = hashlib.sha256(asked.token.encode()).hexdigest()
        password = "-".join(word[at : at + 4] for at in (0, 4, 8, 12))
        self._mine(asked).passwords.add(password)
        return {"name": asked.body["name"], "password": password}

    def _create_session(self, asked: Asked) -> dict[str, Any]:
        account = self._named(asked.body["identifier"])
        if account is None or asked.body["password"] not in account.passwords:
            raise Problem("AuthenticationRequired", "Invalid identifier or password", 401)
        self._not_taken_down(account)
        return self._session(account.did)

    def _refresh_session(self, asked: Asked) -> dict[str, Any]:
        kind, did = self.tokens.pop(asked.token, ("", ""))
        if kind != "refresh":
            raise Problem("ExpiredToken", "Token has been revoked")
        self._not_taken_down(self.accounts[did])
        return self._session(did)

    def _delete_session(self, asked: Asked) -> dict[str, Any]:
        kind, _ = self.tokens.pop(asked.token, ("", ""))
        if kind != "refresh":
            raise Problem("ExpiredToken", "Token has been revoked")
        return {}

    def _get_session(self, asked: Asked) -> dict[str, Any]:
        account = self._mine(asked, even="deactivated")
        told = {"active": account.status == "active"} | (
            {} if account.status == "active" else {"status": account.status}
        )
        return {"did": account.did, "handle": account.handle, **told}

    def _deactivate(self, asked: Asked) -> dict[str, Any]:
        self._mine(asked).status = "deactivated"
        return {}

    def _resolve_handle(self, asked: Asked) -> dict[str, Any]:
        account = self._named(asked.query["handle"])
        if account is None:
            raise Problem("InvalidRequest", "Unable to resolve handle")
        return {"did": account.did}

    def _upload_blob(self, asked: Asked) -> dict[str, Any]:
        account, digest = self._mine(asked), hashlib.sha256(asked.raw).digest()
        link = "b" + base64.b32encode(b"\x01\x55\x12\x20" + digest).decode().rstrip("=").lower()
        account.blobs[link] = len(asked.raw)
        blob = {"$type": "blob", "ref": {"$link": link}, "mimeType": asked.content_type, "size": len(asked.raw)}
        return {"blob": blob}

    def _put_record(self, asked: Asked) -> dict[str, Any]:
        account, body = self._mine(asked), asked.body
        if body["repo"] != account.did:
            raise Problem("AuthenticationRequired", "Authentication Required", 401)
        _check(account, body["collection"], body["rkey"], body["record"])
        cid = hashlib.sha256(json.dumps(body["record"], sort_keys=True).encode()).hexdigest()
        present = account.records.get(body["rkey"])
        if present is not None and present[0] != cid and body.get("swapRecord", present[0]) != present[0]:
            raise Problem("InvalidSwap", f"Record was at {present[0]}")
        account.records[body["rkey"]] = (cid, body["record"])
        return {"uri": _uri(account, body["rkey"]), "cid": cid, "validationStatus": "valid"}

    def _get_record(self, asked: Asked) -> dict[str, Any]:
        account, rkey = self.accounts.get(asked.query["repo"]), asked.query["rkey"]
        if account is None or rkey not in account.records:
            raise Problem("RecordNotFound", f"Could not locate record: {rkey}")
        cid, value = account.records[rkey]
        return {"uri": _uri(account, rkey), "cid": cid, "value": value}

    def _delete_record(self, asked: Asked) -> dict[str, Any]:
        account = self._mine(asked)
        if asked.body["repo"] != account.did:
            raise Problem("AuthenticationRequired", "Authentication Required", 401)
        account.records.pop(asked.body["rkey"], None)
        return {}

    def _list_records(self, asked: Asked) -> dict[str, Any]:
        account = self.accounts[asked.query["repo"]]
        found = sorted(account.records.items(), reverse=True)
        return {"records": [{"uri": _uri(account, rkey), "cid": cid, "value": value} for rkey, (cid, value) in found]}

    def _update_status(self, asked: Asked) -> dict[str, Any]:
        if asked.token != self.admin:
            raise Problem("AuthenticationRequired", "Authentication Required", 401)
        self.accounts[asked.body["subject"]["did"]].status = "takendown"
        return {}

    def _session(self, did: str) -> dict[str, Any]:
        made = {}
        for kind in ("access", "refresh"):
            claims = {
                "iat": int(time.time()),
                "exp": int(time.time()) + ACCESS_LIFE,
                "n": len(self.tokens),
                "kind": kind,
            }
            token = "e30." + base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=") + ".sig"
            self.tokens[token] = (kind, did)
            made[f"{kind}Jwt"] = token
        return {"did": did, "handle": self.accounts[did].handle, "active": True, **made}

    def _named(self, handle: str) -> Account | None:
        return next((one for one in self.accounts.values() if one.handle == handle), None)

    def _mine(self, asked: Asked, even: str = "active") -> Account:
        kind, did = self.tokens.get(asked.token, ("", ""))
        if kind != "access":
            raise Problem("InvalidToken", "Token could not be verified")
        account = self.accounts[did]
        self._not_taken_down(account)
        if account.status not in ("active", even):
            raise Problem("AccountDeactivated", "Account is deactivated", 401)
        return account

    @staticmethod
    def _not_taken_down(account: Account) -> None:
        if account.status == "takendown":
            raise Problem("AccountTakedown", "Account has been taken down", 401)


def _uri(account: Account, rkey: str) -> str:
    return f"at://{account.did}/{POST}/{rkey}"


def _check(account: Account, collection: str, rkey: str, record: dict[str, Any]) -> None:
    """Refuse a record that the lexicon does not take."""
    text = record.get("text")
    if collection != POST or record.get("$type") != POST or not TID.fullmatch(rkey):
        raise Problem("InvalidRequest", "Invalid record key or type")
    if not isinstance(text, str) or not re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", str(record.get("createdAt"))):
        raise Problem("InvalidRequest", "Invalid app.bsky.feed.post record")
    if len(regex.findall(r"\X", text)) > 300 or len(text.encode()) > 3000:
        raise Problem("InvalidRequest", "Invalid app.bsky.feed.post record: string too big (maximum 300 graphemes)")
    for link in record.get("reply", {}).values():
        there = account.records.get(link["uri"].rpartition("/")[2], ("", {}))
        if not link["uri"].startswith(f"at://{account.did}/") or there[0] != link["cid"]:
            raise Problem("InvalidRequest", "Invalid app.bsky.feed.post record: reply")
    for facet in record.get("facets", []):
        place = facet["index"]
        if not 0 <= place["byteStart"] < place["byteEnd"] <= len(text.encode()):
            raise Problem("InvalidRequest", "Invalid app.bsky.feed.post record: facet")
    embed = record.get("embed", {"$type": "app.bsky.embed.images", "images": []})
    if embed["$type"] == "app.bsky.embed.video":
        _check_blob(account, embed, embed["video"], HEAVIEST_VIDEO)
        return
    for image in embed["images"]:
        _check_blob(account, image, image["image"], HEAVIEST)


def _check_blob(account: Account, medium: dict[str, Any], blob: dict[str, Any], heaviest: int) -> None:
    link, ratio = blob["ref"]["$link"], medium["aspectRatio"]
    if not isinstance(medium["alt"], str) or ratio["width"] < 1 or ratio["height"] < 1:
        raise Problem("InvalidRequest", "Invalid app.bsky.feed.post record: embed")
    if link not in account.blobs:
        raise Problem("BlobNotFound", f"Could not find blob: {link}")
    if not account.blobs[link] == blob["size"] <= heaviest:
        raise Problem("BlobTooLarge", "This file is too large")


class _Door(BaseHTTPRequestHandler):
    stub: Stub

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        token = self.headers.get("authorization", "").removeprefix("Bearer ")
        asked = Asked(dict(parse_qsl(parts.query)), raw, self.headers.get("content-type", ""), token)
        status, body = self.stub.answer(parts.path, asked)
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def running(admin: str) -> Iterator[str]:
    """Start a server on loopback; return its address."""
    stub = Stub(admin)
    door = type("Door", (_Door,), {"stub": stub})
    with doors.opened(door) as server:
        yield server.url
