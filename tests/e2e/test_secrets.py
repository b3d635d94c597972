"""After a whole run nothing secret lies about: not in logs, in the database, in facts, in executions.

Each place is shown to be read at all, by something of the same run that belongs there.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from infra_cdk.local.demo.client import Person
from infra_cdk.local.networks import MASTODON_TOKEN
from tests.e2e import traces
from tests.e2e.office import call, link_mailed_to
from tests.e2e.stack import LocalStack
from tests.e2e.steps import in_state, schedule, upload
from tests.integration.ai.providers import VENDORS
from tests.integration.ai.servers import Wire, server

pytestmark = pytest.mark.e2e
KEY = "sk-planted-key-7f3a9c51d2"
CAPTION = "Planted caption 5e1d07: a boat at rest"
PROMPT = "Planted prompt 90ab44: speak of the harbour"
INVITED = "planted@acme.test"
MODEL = "planted-model"


@dataclass(frozen=True)
class Ran:
    """What was left behind, and what must not be in it."""

    media_id: str
    logs: traces.Traces
    rows: traces.Traces
    facts: traces.Traces
    executions: traces.Traces
    secret: dict[str, str]


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    """A provider of the tenant's own, which writes the planted caption."""
    with server() as made:
        said = {"caption": CAPTION, "alt_text": CAPTION, "hashtags": ["#boat"], "description": CAPTION}
        made.answers(200, VENDORS["openai"].says(json.dumps(said), ""))
        yield made


@pytest.fixture(scope="module")
def ran(stack: LocalStack, wire: Wire) -> Ran:
    """A key is set, a photo captioned with it, approved and published, somebody invited, a machine let in."""
    owner, editor = stack.signed_in("owner@acme.test"), stack.signed_in("editor@acme.test")
    allowed = f"{wire.address},{stack.mastodon.removeprefix('http://')}"
    with (
        traces.facts_heard(stack) as facts,
        stack.function_settings("api_ai", EGRESS_ALLOWED_HOSTS=allowed),
        stack.function_settings("task_write_caption", EGRESS_ALLOWED_HOSTS=allowed),
    ):
        set_key(owner, wire)
        try:
            media_id = published_photo(stack, editor)
        finally:
            call(owner, "DELETE", "/ai/keys/compatible")
        machine = owner.post("/api-keys", {"name": "Planted", "scopes": ["media:read"]})["key"]
        assert call(Person(stack.http, stack.addresses["api"], "", machine, "acme"), "GET", "/media").is_success
        owner.post("/invitations", {"email": INVITED, "role": "viewer"})
        secret = {
            "the provider's key": KEY,
            "the network's token": MASTODON_TOKEN,
            "a machine's key": machine,
            "the signature of a sign-in": editor.token.rpartition(".")[2],
            "an invitation's link": link_mailed_to(stack, INVITED),
            **traces.secrets(stack),
        }
    return Ran(media_id, traces.logs(stack), traces.rows(stack), facts, traces.executions(stack), secret)


def set_key(owner: Person, wire: Wire) -> None:
    wish = {"key": KEY, "base_url": f"{wire.base}/v1", "model": MODEL}
    kept = call(owner, "PUT", "/ai/keys/compatible", wish)
    assert kept.status_code == 200, kept.text


def published_photo(stack: LocalStack, editor: Person) -> str:
    media_id = upload(stack, editor)
    in_state(editor, f"/media/{media_id}", "in_review")
    asked = editor.post(f"/media/{media_id}/captions", {"prompt": PROMPT})
    in_state(editor, f"/media/{media_id}/captions/requests/{asked['id']}", "written")
    versions = editor.get(f"/media/{media_id}/captions")["items"]
    version = max(each["version"] for each in versions)
    editor.post(f"/media/{media_id}/review/approve", {"caption_version": version})
    in_state(editor, f"/media/{media_id}", "approved")
    account = editor.get("/accounts")["items"][0]["id"]
    post = schedule(editor, account, CAPTION, media=[media_id])
    in_state(editor, f"/posts/{post}", "published")
    return media_id


def test_the_run_was_what_it_says(ran: Ran, wire: Wire) -> None:
    assert KEY in wire.text(), "the provider was asked with the key"
    assert PROMPT in wire.text()
    assert len(ran.secret) > 8, sorted(ran.secret)


def test_every_place_is_read(ran: Ran) -> None:
    for place in (ran.logs, ran.rows, ran.facts, ran.executions):
        assert place.where(ran.media_id)
    assert "t_acme.captions" in ran.rows.where(CAPTION)
    assert any("write_caption" in place for place in ran.logs.where(ran.media_id))


def test_no_secret_lies_about(ran: Ran) -> None:
    found = {
        (name, place)
        for name, planted in ran.secret.items()
        for left in (ran.logs, ran.rows, ran.facts, ran.executions)
        for place in left.where(planted)
    }
    assert found == set()


def test_what_people_write_is_in_the_tenants_tables_and_in_answers_that_are_kept_for_a_day(ran: Ran) -> None:
    for written in (CAPTION, PROMPT):
        assert ran.logs.where(written) == set()
        assert ran.facts.where(written) == set()
        assert ran.executions.where(written) == set()
        beyond = {place for place in ran.rows.where(written) if not place.startswith("t_acme.")}
        assert beyond <= {"cell.idempotency"}


def test_what_is_hidden_in_a_coding_is_found() -> None:
    left = traces.Traces({"hex": KEY.encode().hex(), "base64": "Basic dXNlcjpzay1wbGFudGVkLWtleS03ZjNhOWM1MWQy"})
    assert left.where(KEY) == {"hex", "base64"}
