"""Embed Media and what is like a media item: made once, anew where something changed, and never across models."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest

from functions.cron_embed_media.handler import handler as cron_embed_media
from functions.task_embed_media.handler import handler as task_embed_media
from socialflow.ai import embedding, keys
from socialflow.ai.asking import Account, NotAnswered
from socialflow.ai.embedding import Embeddable, Picture, Vector
from socialflow.ai.gateway import Route
from socialflow.ai.routing import NoRoute, embedder, embedding_route
from socialflow.platform import settings
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.search import service as search
from socialflow.search.model import Space
from tests.api import Client
from tests.integration.media.conftest import Studio
from tests.pictures import photo

SEES, WORDS = "bedrock/amazon.titan-embed-image-v1", "openai/text-embedding-3-small"


@dataclass
class Maker:
    """Makes vectors as scripted: the first number says how far round, by the side and a text's first letter."""

    asked: list[tuple[str, str]] = field(default_factory=list)
    fails: str = ""

    def __call__(self, account: Account, wanted: Embeddable, route: Route) -> Vector:
        if self.fails:
            raise NotAnswered(self.fails)
        kind = "picture" if isinstance(wanted.of, Picture) else "text"
        self.asked.append((route.model.name, kind))
        turned = 1.0 if kind == "picture" else float(ord(wanted.text[0]) % 7)
        size = wanted.embedder.dimension
        return Vector(wanted.embedder.name, (1.0, turned, *[0.0] * (size - 2)))


Use = Callable[[str], None]


@pytest.fixture
def maker(monkeypatch: pytest.MonkeyPatch) -> Maker:
    made = Maker()
    monkeypatch.setattr(embedding, "embed", made)
    return made


@pytest.fixture
def use(maker: Maker, monkeypatch: pytest.MonkeyPatch) -> Iterator[Use]:
    """Have the stage use a model."""

    def say(model: str) -> None:
        monkeypatch.setenv(settings.PREFIX + "EMBEDDING_MODEL", model)
        settings.forget()

    yield say
    monkeypatch.undo()
    settings.forget()


def begun(studio: Studio, media_id: str) -> int:
    """Have a media item looked at again; return the run that does."""
    with transaction(studio.tenant) as tx:
        search.look_again(tx, UUID(media_id), at=now())
    return studio.start(media_id, "embedding")


def embed(studio: Studio, media_id: str, run: int | None = None) -> str:
    run = begun(studio, media_id) if run is None else run
    return str(task_embed_media(studio.given(media_id, run) | {"kind": "embedding"}, None)["outcome"])


def stored(studio: Studio, media_id: str) -> list[tuple[str, str, int]]:
    query = "SELECT aspect, model, dimension FROM t_acme.vectors WHERE media_id = %s ORDER BY aspect"
    return studio.owner.execute(query, (media_id,)).fetchall()


def related(studio: Studio, media_id: str) -> Any:
    return studio.client.get(f"/v1/media/{media_id}/related").json


def test_picture_and_words_get_their_places_once(studio: Studio, maker: Maker, use: Use) -> None:
    use(SEES)
    media_id, _ = studio.in_review()
    assert embed(studio, media_id) == "embedded"
    assert stored(studio, media_id) == [("picture", SEES, 1_024), ("text", SEES, 1_024)]
    assert embed(studio, media_id) == "embedded"
    assert maker.asked == [(SEES, "text"), (SEES, "picture")], "what has not changed is not paid for again"


def test_what_was_edited_is_placed_anew_and_nothing_else(studio: Studio, maker: Maker, use: Use) -> None:
    use(SEES)
    media_id, _ = studio.in_review()
    embed(studio, media_id)
    studio.owner.execute("UPDATE t_acme.media_items SET title = 'Another' WHERE id = %s", (media_id,))
    embed(studio, media_id)
    assert maker.asked[2:] == [(SEES, "text")]


def test_an_approved_media_item_is_looked_at_again(studio: Studio, use: Use) -> None:
    media_id, run = studio.in_review()
    studio.client.post(f"/v1/media/{media_id}/review/approve", {"caption": "By hand"})
    assert studio.settle(media_id, run) == "approved"
    waits = "SELECT count(*) FROM cell.work WHERE kind = 'embedding' AND id = %s AND wake_at <= clock_timestamp()"
    assert studio.value(waits, media_id) == 1


def test_models_are_never_mixed(studio: Studio, use: Use) -> None:
    use(SEES)
    one, two = (studio.in_review(photo(sky=colour))[0] for colour in ("navy", "teal"))
    embed(studio, one)
    use(WORDS)
    embed(studio, two)
    assert related(studio, one) == {"items": [], "model": WORDS}, "its own vectors are another model's"
    assert related(studio, two)["items"] == [], "what lies in another space is not found"
    embed(studio, one)
    assert [each["media_id"] for each in related(studio, two)["items"]] == [one]
    use(SEES)
    assert related(studio, two)["items"] == []


def test_a_changed_model_is_caught_up_with_and_tells_how_far_it_is(studio: Studio, maker: Maker, use: Use) -> None:
    use(SEES)
    items = [studio.in_review(photo(sky=colour))[0] for colour in ("navy", "teal", "gold")]
    for media_id in items:
        embed(studio, media_id)
    progress = studio.client.get("/v1/search/progress")
    assert progress.json == {"model": SEES, "dimension": 1_024, "media": 3, "placed": 3, "percent": 100}
    use(WORDS)
    assert studio.client.get("/v1/search/progress").json["placed"] == 0
    assert cron_embed_media({}, None) == {"given": 3, "failed": []}
    assert cron_embed_media({}, None) == {"given": 0, "failed": []}, "what is on its way is left to that"
    embed(studio, items[0])
    assert studio.client.get("/v1/search/progress").json["percent"] == 33
    for media_id in items[1:]:
        embed(studio, media_id)
    assert studio.client.get("/v1/search/progress").json["percent"] == 100
    assert cron_embed_media({}, None) == {"given": 0, "failed": []}
    texts = [row for each in items for row in stored(studio, each) if row[0] == "text"]
    assert texts == [("text", WORDS, 1_536)] * 3


@pytest.mark.parametrize("reason", ["budget-exceeded", "captioner-unreachable", "captioner-busy", "answer-unusable"])
def test_what_got_none_is_given_again_by_the_job(studio: Studio, maker: Maker, use: Use, reason: str) -> None:
    use(WORDS)
    maker.fails = reason
    media_id, _ = studio.in_review()
    assert embed(studio, media_id) == "left"
    assert stored(studio, media_id) == []
    maker.fails = ""
    assert cron_embed_media({}, None) == {"given": 1, "failed": []}
    assert embed(studio, media_id) == "embedded"


def test_too_many_at_once_come_back_later(studio: Studio, maker: Maker, use: Use) -> None:
    use(WORDS)
    maker.fails = "rate-limited"
    media_id, _ = studio.in_review()
    run = begun(studio, media_id)
    assert embed(studio, media_id, run) == "later"
    maker.fails = ""
    assert embed(studio, media_id, run) == "embedded"


def test_an_older_run_and_a_deleted_media_item_ask_nobody(
    studio: Studio, maker: Maker, use: Use, admin: Client
) -> None:
    use(WORDS)
    media_id, _ = studio.in_review()
    old, _ = begun(studio, media_id), begun(studio, media_id)
    assert embed(studio, media_id, old) == "superseded"
    embed(studio, media_id)
    asked = len(maker.asked)
    assert admin.delete(f"/v1/media/{media_id}").status == 204
    assert stored(studio, media_id) == []
    assert embed(studio, media_id) == "superseded"
    assert len(maker.asked) == asked


def test_without_a_model_nothing_is_made_and_it_is_said(studio: Studio, maker: Maker) -> None:
    media_id, _ = studio.in_review()
    assert embed(studio, media_id) == "left"
    assert related(studio, media_id) == {"items": [], "model": None}
    assert maker.asked == []


def test_who_has_keys_or_has_chosen_is_placed_by_no_other_provider(studio: Studio, use: Use) -> None:
    use(SEES)
    tenant = studio.tenant
    names = [model and model.name for model in (embedder(tenant, []), embedder(tenant, ["openai"]))]
    assert names == [SEES, WORDS]
    assert embedder(tenant, ["anthropic"]) is None
    new = keys.checked("openai", "sk-planted-0123456789", base_url=None, model=None)
    with transaction(tenant) as tx:
        keys.keep(tx, new, keys.seal(tenant, new), by=tenant.id, at=now())
    route = embedding_route(tenant)
    assert (route.model.name, route.key_owner, route.key, route.base) == (WORDS, "tenant", new.key, None)
    with transaction(tenant) as tx:
        keys.forget(tx, "openai")
    chosen = type(tenant)(**{**vars(tenant), "settings": {"ai_models": ["anthropic/claude-haiku-4-5"]}})
    with pytest.raises(NoRoute):
        embedding_route(chosen)


def test_nothing_is_like_what_is_another_tenants(studio: Studio, use: Use) -> None:
    use(WORDS)
    media_id, _ = studio.in_review()
    embed(studio, media_id)
    with transaction(studio.tenant) as tx:
        space = Space(WORDS, 1_536, sees=False)
        assert search.progress(tx, space).placed == 1
    assert studio.client.get("/v1/media/01890a5d-ac96-774b-bcce-b302099a8057/related").status == 404
