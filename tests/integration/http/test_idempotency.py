"""A key makes a request happen once: replays, reuse, one in flight, and nothing kept of what failed."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from pydantic import BaseModel

from socialflow.errors import Conflict
from socialflow.identity import door
from socialflow.platform import database, idempotency
from socialflow.platform.database import transaction
from socialflow.platform.http import Response, api, caller, entry, once, requires, stored
from socialflow.platform.http.app import Handler
from socialflow.platform.idempotency import Answer, Claim, RequestInFlight
from socialflow.platform.tenancy import Tenant
from tests.api import Client, Reply, event
from tests.integration.conftest import Member


class NoteIn(BaseModel):
    text: str


class NoteOut(BaseModel):
    id: UUID
    text: str
    url: str = ""


@dataclass
class Notes:
    """A function that makes notes, and how often its use case ran."""

    client: Client
    handler: Handler = field(init=False)
    ran: list[str] = field(default_factory=list)
    signed: int = 0
    failing: Exception | None = None

    def post(self, target: str, body: object, key: str | None = "key-1", client: Client | None = None) -> Reply:
        """Send a request with an idempotency key."""
        headers = dict((client or self.client).headers) | {"content-type": "application/json"}
        if key is not None:
            headers["idempotency-key"] = key
        return Reply.read(self.handler(event("POST", target, headers=headers, body=json.dumps(body)), None))


@pytest.fixture
def notes(editor: Client) -> Iterator[Notes]:
    """The function, called by acme's editor."""
    made, app = Notes(editor), api(door)

    def sign(body: dict[str, Any]) -> dict[str, Any]:
        made.signed += 1
        return {**body, "url": f"https://signed/{made.signed}"}

    @app.post("/v1/notes", status_code=201)
    @requires("media:write")
    def note(body: NoteIn) -> Response[NoteOut]:
        return run("note", body)

    @app.post("/v1/folders/<folder_id>/notes", status_code=201)
    @requires("media:write")
    def in_folder(folder_id: UUID, body: NoteIn) -> Response[NoteOut]:
        return run(str(folder_id), body)

    def run(where: str, body: NoteIn) -> Response[NoteOut]:
        def use_case() -> Answer:
            made.ran.append(where)
            if made.failing:
                raise made.failing
            return stored(NoteOut(id=uuid4(), text=body.text), status=201, location="/v1/notes/1", version=3)

        with transaction(caller().tenant) as tx:
            return once(tx, use_case, present=sign)

    made.handler = entry(app)
    yield made
    database.forget()


def kept(owner: psycopg.Connection) -> list[tuple[Any, ...]]:
    return owner.execute("SELECT tenant, route, key, status, body FROM cell.idempotency ORDER BY key").fetchall()


def test_a_repeat_is_answered_with_the_first_answer(notes: Notes) -> None:
    first, again = notes.post("/v1/notes", {"text": "a"}), notes.post("/v1/notes", {"text": "a"})
    assert (first.status, again.status, notes.ran) == (201, 201, ["note"])
    assert (first.json["id"], first.json["text"]) == (again.json["id"], again.json["text"])
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert (again.headers["location"], again.headers["etag"]) == ("/v1/notes/1", '"3"')


def test_a_replay_is_presented_anew_and_the_signature_is_not_kept(notes: Notes, owner: psycopg.Connection) -> None:
    first, again = notes.post("/v1/notes", {"text": "a"}), notes.post("/v1/notes", {"text": "a"})
    assert (first.json["url"], again.json["url"]) == ("https://signed/1", "https://signed/2")
    assert "signed" not in str(kept(owner))


def test_the_order_of_keys_and_spaces_do_not_make_another_request(notes: Notes) -> None:
    notes.post("/v1/notes", {"text": "a", "more": [1, {"x": 1, "y": 2}]})
    again = notes.post("/v1/notes", {"more": [1, {"y": 2, "x": 1}], "text": "a"})
    assert again.headers["idempotency-replayed"] == "true"


def test_a_key_with_another_body_is_refused(notes: Notes) -> None:
    notes.post("/v1/notes", {"text": "a"})
    reply = notes.post("/v1/notes", {"text": "b"})
    assert (reply.status, reply.code, notes.ran) == (422, "idempotency-key-reused", ["note"])


def test_a_key_with_another_path_is_refused(notes: Notes) -> None:
    first, second = str(uuid4()), str(uuid4())
    notes.post(f"/v1/folders/{first}/notes", {"text": "a"})
    assert notes.post(f"/v1/folders/{second}/notes", {"text": "a"}).code == "idempotency-key-reused"
    assert notes.ran == [first]


def test_a_key_is_the_routes_the_callers_and_the_tenants(notes: Notes, member: Member) -> None:
    notes.post("/v1/notes", {"text": "a"})
    notes.post(f"/v1/folders/{uuid4()}/notes", {"text": "a"})
    notes.post("/v1/notes", {"text": "a"}, client=member("admin"))
    notes.post("/v1/notes", {"text": "a"}, client=member("owner", "contoso"))
    notes.post("/v1/notes", {"text": "a"}, key="key-2")
    assert len(notes.ran) == 5


def test_without_a_key_every_request_is_a_new_one(notes: Notes, owner: psycopg.Connection) -> None:
    notes.post("/v1/notes", {"text": "a"}, key=None)
    notes.post("/v1/notes", {"text": "a"}, key=None)
    assert (len(notes.ran), kept(owner)) == (2, [])


@pytest.mark.parametrize("failure", [Conflict("Not now."), RuntimeError("bug")])
def test_nothing_is_kept_of_a_refusal_or_a_failure(notes: Notes, owner: psycopg.Connection, failure: Exception) -> None:
    notes.failing = failure
    assert notes.post("/v1/notes", {"text": "a"}).status in {409, 500}
    assert kept(owner) == []
    notes.failing = None
    again = notes.post("/v1/notes", {"text": "a"})
    assert (again.status, "idempotency-replayed" in again.headers) == (201, False)


@pytest.mark.parametrize("key", ["a b", "é", "x" * 256, "a\x00"])
def test_an_unfit_key_is_refused(notes: Notes, key: str) -> None:
    reply = notes.post("/v1/notes", {"text": "a"}, key=key)
    assert (reply.status, reply.json["errors"][0]["code"], notes.ran) == (422, "idempotency-key-invalid", [])


def test_an_answer_is_forgotten_after_a_day(notes: Notes, owner: psycopg.Connection) -> None:
    notes.post("/v1/notes", {"text": "a"})
    lives = owner.execute("SELECT expires_at - now() BETWEEN '23:59' AND '24:00' FROM cell.idempotency").fetchone()
    assert lives == (True,)
    owner.execute("UPDATE cell.idempotency SET expires_at = now() - interval '1 second'")
    again = notes.post("/v1/notes", {"text": "another, with the same key"})
    assert (again.status, len(notes.ran), len(kept(owner))) == (201, 2, 1)


def test_dead_answers_are_swept_by_the_next_one(notes: Notes, owner: psycopg.Connection) -> None:
    for number in range(3):
        notes.post("/v1/notes", {"text": "a"}, key=f"old-{number}")
    owner.execute("UPDATE cell.idempotency SET expires_at = now() - interval '1 second'")
    notes.post("/v1/notes", {"text": "a"}, key="new")
    assert [row[2] for row in kept(owner)] == ["new"]


def test_a_request_in_flight_is_told_to_wait_and_then_replayed(acme: Tenant) -> None:
    claim = Claim("someone", "POST /v1/notes", "key", b"asked")
    inside, leave, answers = threading.Event(), threading.Event(), list[Answer]()

    def slow() -> Answer:
        inside.set()
        assert leave.wait(10)
        return Answer(201, {"id": 1})

    def first() -> None:
        with transaction(acme) as tx:
            answers.append(idempotency.once(tx, claim, slow))
        database.forget()

    thread = threading.Thread(target=first)
    thread.start()
    assert inside.wait(10)
    with pytest.raises(RequestInFlight) as refusal, transaction(acme) as tx:
        idempotency.once(tx, claim, lambda: pytest.fail("it ran twice"))
    assert (refusal.value.status, refusal.value.retry_after) == (409, 1)
    leave.set()
    thread.join(10)
    with transaction(acme) as tx:
        again = idempotency.once(tx, claim, lambda: pytest.fail("it ran twice"))
    assert (answers[0].body, again.body, again.replayed) == ({"id": 1}, {"id": 1}, True)


def test_a_failure_cannot_be_kept_by_mistake(acme: Tenant, owner: psycopg.Connection) -> None:
    with pytest.raises(ValueError, match="raised, not answered"), transaction(acme) as tx:
        idempotency.once(tx, Claim("someone", "POST /v1/notes", "key", b""), lambda: Answer(503, {}))
    assert kept(owner) == []
