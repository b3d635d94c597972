"""What goes to Bluesky, before any server: places in a text, keys of records, sessions and their life."""

import base64
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from socialflow.platform.ids import new_id
from socialflow.publishing.content import idempotency_key
from socialflow.publishing.networks import atproto, wire
from socialflow.publishing.networks.port import Upload
from socialflow.publishing.networks.richtext import spans
from tests.pds.stub import TID

AT = datetime(2027, 3, 1, 9, tzinfo=UTC)


def uploaded(content: bytes) -> Upload:
    """Return a picture with that content."""
    return Upload(content, "image/jpeg", 1, 1, "")


def marked(text: str) -> list[tuple[str, str, str]]:
    """Return kind, bytes and value of what is found."""
    return [(one.kind, text.encode()[one.start : one.end].decode(), one.value) for one in spans(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("plain words, 5 # 6 and a@b.example", []),
        ("see https://example.com/a(b).", [("link", "https://example.com/a(b", "https://example.com/a(b")]),
        ("é👩‍👩‍👧 #größe!", [("tag", "#größe", "größe")]),
        ("＃大阪 #大阪", [("tag", "＃大阪", "大阪"), ("tag", "#大阪", "大阪")]),  # noqa: RUF001 # the full-width sign
        ("#2026 #2026x #_ ##", [("tag", "#2026x", "2026x"), ("tag", "##", "#")][:1]),
        ("#" + "x" * 64 + " #" + "x" * 65, [("tag", "#" + "x" * 64, "x" * 64)]),
        ("@Acme.Bsky.Social, hello", [("mention", "@Acme.Bsky.Social", "acme.bsky.social")]),
        ("(@acme.test) me@acme.test @acme", [("mention", "@acme.test", "acme.test")]),
        (
            "https://x.test/#tag and https://y.test/@a.test",
            [
                ("link", "https://x.test/#tag", "https://x.test/#tag"),
                ("link", "https://y.test/@a.test", "https://y.test/@a.test"),
            ],
        ),
    ],
)
def test_links_mentions_and_hashtags_are_found_by_their_bytes(text: str, found: list[tuple[str, str, str]]) -> None:
    assert marked(text) == found


@given(st.text(alphabet=st.sampled_from("#@.:/ahtps é👩‍\u200d\ufe0f1-(\n"), max_size=80))
def test_places_never_overlap_and_never_cut_a_character(text: str) -> None:
    end = 0
    for span in spans(text):
        assert end <= span.start < span.end
        assert text.encode()[span.start : span.end].decode()
        end = span.end


def test_a_key_is_a_tid_and_the_same_for_the_same_content() -> None:
    target, content = new_id(), bytes(range(32))
    key = atproto.record_key(idempotency_key(target, content))
    assert TID.fullmatch(key)
    assert key == atproto.record_key(idempotency_key(target, content))
    assert key != atproto.record_key(idempotency_key(target, content[::-1]))
    assert key != atproto.record_key(idempotency_key(new_id(), content))


@given(st.uuids(), st.binary(min_size=32, max_size=32))
def test_every_key_is_a_tid(target: UUID, content: bytes) -> None:
    assert TID.fullmatch(atproto.record_key(idempotency_key(target, content)))


def test_keys_have_the_time_of_their_target_and_keep_its_order() -> None:
    earlier = UUID(int=(1_800_000_000_000 << 80) | uuid4().int & ((1 << 80) - 1))
    later = UUID(int=(1_800_000_000_001 << 80) | uuid4().int & ((1 << 80) - 1))
    assert atproto.record_key(f"{earlier}-a") < atproto.record_key(f"{later}-a")


def test_a_blob_has_the_address_of_its_content() -> None:
    """The CID of nothing at all, as every implementation has it."""
    assert atproto.cid(uploaded(b"")) == "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"
    whole = {
        "blob": {"$type": "blob", "ref": {"$link": atproto.cid(uploaded(b"x"))}, "mimeType": "image/png", "size": 1}
    }
    assert atproto.blob(whole, uploaded(b"x")) == whole["blob"]
    others: tuple[object, ...] = (None, [], {}, {"blob": 1}, {"blob": {"ref": {"$link": atproto.cid(uploaded(b"y"))}}})
    for broken in others:
        assert atproto.blob(broken, uploaded(b"x")) is None


def token(claims: object) -> str:
    return "e30." + base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=") + ".s"


def test_a_session_is_renewed_by_our_clock_whatever_the_servers_says() -> None:
    """The server's clock is a year behind: what counts is how long a token lives."""
    access = token({"iat": 1, "exp": 7201})
    begun = atproto.session({"did": "did:plc:abc", "accessJwt": access, "refreshJwt": "r"}, AT)
    assert begun is not None
    assert atproto.Session.of(begun.document()) == begun
    assert not begun.spent(AT + timedelta(seconds=5399))
    assert begun.spent(AT + timedelta(seconds=5401))


@pytest.mark.parametrize(
    "access", ["opaque", token([]), token({"iat": 5, "exp": 1}), token({"iat": "x", "exp": 1}), "a.####.c", "a..c"]
)
def test_a_token_that_does_not_tell_its_life_is_renewed_soon(access: str) -> None:
    begun = atproto.session({"did": "did:plc:abc", "accessJwt": access, "refreshJwt": "r"}, AT)
    assert begun is not None
    assert begun.spent(AT + timedelta(seconds=atproto.USUAL_LIFE))


@pytest.mark.parametrize(
    "answer",
    [None, [], {}, {"did": "did:plc:a/b", "accessJwt": "a", "refreshJwt": "r"}, {"did": "did:plc:a", "accessJwt": "a"}]
    + [{"did": "did:plc:a", "accessJwt": access, "refreshJwt": "r"} for access in ("", "é", 7, None)],
)
def test_what_is_no_session_is_none(answer: object) -> None:
    assert atproto.session(answer, AT) is None


@pytest.mark.parametrize(
    ("status", "name", "code"),
    [
        (400, "ExpiredToken", "invalid-credentials"),
        (400, "InvalidRequest", "content-refused"),
        (400, "BlobNotFound", "media-expired"),
        (401, "AccountTakedown", "account-unavailable"),
        (401, "AuthenticationRequired", "invalid-credentials"),
        (413, "PayloadTooLarge", "content-refused"),
        (501, "MethodNotImplemented", "network-refused"),
        (307, "", "network-refused"),
    ],
)
def test_what_a_server_refuses_clearly(status: int, name: str, code: str) -> None:
    refused = atproto.refusal(httpx.Response(status, json={"error": name, "message": "No."}))
    assert refused is not None
    assert refused.code == code


@pytest.mark.parametrize("status", [200, 303, 408, 429, 500, 502, 503])
def test_what_is_no_clear_refusal(status: int) -> None:
    assert atproto.refusal(httpx.Response(status, json={"error": "InvalidRequest"})) is None


def test_how_long_a_server_asks_to_wait() -> None:
    in_an_hour = str(int(datetime.now(UTC).timestamp()) + 3600)
    assert wire.wait(httpx.Response(429, headers={"retry-after": "7", "ratelimit-reset": in_an_hour})) == 7
    until = wire.wait(httpx.Response(429, headers={"ratelimit-reset": in_an_hour}))
    assert until is not None
    assert 0 < until <= 3600
    assert wire.wait(httpx.Response(429, headers={"x-ratelimit-reset": "2001-01-01T00:00:00Z"})) == 0


@pytest.mark.parametrize("value", ["", "soon", "99999999999999999999", "²", "-5"])
def test_a_wait_that_is_none_is_not_believed(value: str) -> None:
    headers = {b"retry-after": value.encode(), b"ratelimit-reset": value.encode()}
    assert wire.wait(httpx.Response(429, headers=headers)) is None
