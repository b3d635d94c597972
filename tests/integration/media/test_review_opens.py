"""Whatever a provider does, the review opens: with its caption, or without one and with the reason."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import pytest

from functions.task_write_caption.handler import handler as task_write_caption
from socialflow.ai import asking, gateway
from socialflow.captions import prompt
from tests.integration.ai.conftest import GOOD
from tests.integration.ai.providers import VENDORS, Vendor
from tests.integration.ai.servers import Wire, server
from tests.integration.media.conftest import Studio

UNREACHABLE, FAILED, UNUSABLE = "captioner-unreachable", "captioner-failed", "answer-unusable"


def _answers(status: int, **headers: str) -> Callable[[Vendor, Wire], None]:
    def script(_vendor: Vendor, wire: Wire) -> None:
        wire.answers(status, {"error": {"message": "No", "type": "planted"}}, **headers)

    return script


def _says(text: str | None, *, declining: bool = False) -> Callable[[Vendor, Wire], None]:
    def script(vendor: Vendor, wire: Wire) -> None:
        wire.answers(200, vendor.says(text, vendor.declines if declining else ""))

    return script


def _sends(raw: bytes, *, cut: bool = False) -> Callable[[Vendor, Wire], None]:
    def script(_vendor: Vendor, wire: Wire) -> None:
        wire.answers(200, raw)
        wire.cut = cut

    return script


def _is_slow(vendor: Vendor, wire: Wire) -> None:
    wire.answers(200, vendor.says(GOOD, ""))
    wire.pause = 1.2


def _is_gone(_vendor: Vendor, wire: Wire) -> None:
    wire.close()


FAILURES: Mapping[str, tuple[Callable[[Vendor, Wire], None], str]] = {
    "too many, with a time": (_answers(429, retry_after="7"), "captioner-busy"),
    "too many, without": (_answers(429), "captioner-busy"),
    "overloaded": (_answers(529), UNREACHABLE),
    "in trouble": (_answers(500), UNREACHABLE),
    "the key is not taken": (_answers(401), "captioner-denied"),
    "the question is not taken": (_answers(400), FAILED),
    "nobody is there": (_is_gone, UNREACHABLE),
    "slow": (_is_slow, UNREACHABLE),
    "cut off": (_sends(b'{"id": "x", "cho', cut=True), UNREACHABLE),
    "no JSON": (_sends(b"<html>Bad gateway</html>"), UNREACHABLE),
    "another shape": (_sends(b'{"hello": "world"}'), UNREACHABLE),
    "another form": (_says('{"caption": 5}'), UNUSABLE),
    "no form": (_says("I am sorry"), UNUSABLE),
    "declines": (_says(None, declining=True), "content-policy"),
}
OTHERWISE: Mapping[tuple[str, str], str] = {
    # LiteLLM calls what it cannot read a failed connection, but not of these.
    ("no JSON", "bedrock"): FAILED,
    ("no JSON", "gemini"): FAILED,
    ("another shape", "gemini"): FAILED,
    # It has no word for it, and says nothing.
    ("declines", "ollama_chat"): UNUSABLE,
}


@pytest.fixture
def wire() -> Iterator[Wire]:
    """The provider, on loopback."""
    with server() as made:
        yield made


@pytest.fixture
def vendor(request: pytest.FixtureRequest, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> Vendor:
    """The provider that the platform's model is of, asked without pauses."""
    found = VENDORS[request.param]
    more = found.arguments(wire.base)

    def complete(**call: Any) -> Any:
        return gateway.litellm().completion(**call, **more)

    monkeypatch.setattr(asking, "routes", lambda _tenant: [found.route(wire.base)])
    monkeypatch.setattr(asking, "ask", partial(asking.ask, complete=complete, pause=lambda _seconds: None))
    return found


@pytest.mark.parametrize("vendor", sorted(VENDORS), indirect=True)
@pytest.mark.parametrize("failure", FAILURES)
def test_a_review_opens_whatever_a_provider_does(
    studio: Studio, vendor: Vendor, wire: Wire, failure: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    script, usual = FAILURES[failure]
    if failure == "slow":
        monkeypatch.setattr(gateway, "CALL_SECONDS", 0.3)
        monkeypatch.setattr(asking, "PAUSES", ())
    script(vendor, wire)
    media_id, run = processed(studio)
    assert caption(studio, media_id, run) == "skipped"
    told = studio.read(media_id)["caption_request"]
    assert told["state"] == "skipped"
    assert told["reason"] == OTHERWISE.get((failure, vendor.model.provider), usual)
    assert told["detail"] == prompt.skipped(told["reason"]).detail
    assert reviewed(studio, media_id, run, {"caption": "By hand"}) == "approved"
    assert studio.value("SELECT sum(reserved_micros + reserved_tokens) FROM cell.ai_budget") in (0, None)


@pytest.mark.parametrize("vendor", sorted(VENDORS), indirect=True)
def test_a_review_opens_with_the_caption(studio: Studio, vendor: Vendor, wire: Wire) -> None:
    wire.answers(200, vendor.says(GOOD, ""))
    media_id, run = processed(studio)
    assert caption(studio, media_id, run) == "captioned"
    assert studio.read(media_id)["caption"]["text"] == "A boat"
    assert reviewed(studio, media_id, run, {"caption_version": 1}) == "approved"


def processed(studio: Studio) -> tuple[str, int]:
    media_id = studio.uploaded()
    run = studio.start(media_id)
    assert studio.process(media_id, run) == "processed"
    return media_id, run


def caption(studio: Studio, media_id: str, run: int) -> str:
    return str(task_write_caption(studio.given(media_id, run), None)["outcome"])


def reviewed(studio: Studio, media_id: str, run: int, decision: dict[str, object]) -> str:
    """Let a person decide; return what the workflow makes of it."""
    assert studio.wait(media_id, run) == "waiting"
    assert studio.read(media_id)["state"] == "in_review"
    assert studio.client.post(f"/v1/media/{media_id}/review/approve", decision).status == 200
    return studio.settle(media_id, run)
