"""A client of the API as any program outside would write it: HTTP, tokens, problem documents, nothing else."""

import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

CALL_TIMEOUT_S = 35.0
TRIES = 6
BUSY = {httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE}  # a gateway's own do not say for how long
TYPES = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}
Document = dict[str, Any]


class DemoError(Exception):
    """What went wrong, in words."""


def open_client() -> httpx.Client:
    """A client for loopback: no proxies of the environment."""
    return httpx.Client(timeout=CALL_TIMEOUT_S, trust_env=False)


@dataclass(frozen=True)
class Person:
    """Somebody who is signed in and speaks for a tenant."""

    http: httpx.Client
    api: str
    email: str
    token: str
    tenant: str

    @classmethod
    def sign_in(cls, http: httpx.Client, addresses: Document, email: str, tenant: str) -> "Person":
        """Get a token from the issuer; raises DemoError."""
        answer = http.post(f"{addresses['issuer']}/token", data={"grant_type": "password", "username": email})
        if answer.status_code != httpx.codes.OK:
            raise DemoError(f"{email} cannot sign in: {answer.text}")
        return cls(http, addresses["api"], email, answer.json()["access_token"], tenant)

    def get(self, path: str, **query: Any) -> Document:
        """Read something."""
        return self._ask("GET", path, params=query)

    def post(self, path: str, body: Document | None = None) -> Document:
        """Change something; each call has its own key, so that a repeated one counts once."""
        return self._ask("POST", path, json=body or {}, headers={"Idempotency-Key": str(uuid.uuid4())})

    def _ask(self, method: str, path: str, *, headers: dict[str, str] | None = None, **options: Any) -> Document:
        known = {"Authorization": f"Bearer {self.token}", "X-Tenant-Id": self.tenant, **(headers or {})}
        for each in range(TRIES):
            try:
                answer = self.http.request(method, self.api + path, headers=known, **options)
            except httpx.HTTPError as error:
                raise DemoError(f"{method} {path}: {self.api} does not answer ({error}); is the stack up?") from error
            is_busy = answer.status_code in BUSY or (answer.is_error and "Retry-After" in answer.headers)
            if not is_busy or each == TRIES - 1:
                break
            time.sleep(float(answer.headers.get("Retry-After", "1")))
        if answer.is_success:
            found: Document = answer.json()
            return found
        raise DemoError(f"{self.email}: {method} {path} was refused ({answer.status_code}): {_words(answer)}")


def send_file(http: httpx.Client, photo: Path, upload: Document) -> None:
    """Put the file where the API said, with exactly the headers that it signed."""
    answer = http.request(upload["method"], upload["url"], headers=upload["headers"], content=photo.read_bytes())
    if not answer.is_success:
        raise DemoError(f"{photo.name} could not be uploaded ({answer.status_code}): {answer.text[:500]}")


def photos_in(folder: Path) -> list[Path]:
    """The photos of the folder, by name; raises DemoError if there are none."""
    if not folder.is_dir():
        raise DemoError(f"there is no folder {folder}")
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in TYPES)
    if not found:
        raise DemoError(f"{folder} holds no photos ({', '.join(TYPES)})")
    return found


def _words(answer: httpx.Response) -> str:
    """What a problem document says, or whatever there is."""
    try:
        problem = answer.json()
        lines = [str(problem.get("detail") or problem.get("title") or problem)]
        lines += [
            f"{each.get('pointer')}: {each.get('detail') or each.get('code')}" for each in problem.get("errors", [])
        ]
    except (ValueError, AttributeError):
        return answer.text[:500]
    return "; ".join(lines)
