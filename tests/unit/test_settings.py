"""A function is told what it needs, and says all that it was not told."""

import pytest

from socialflow.platform import settings
from socialflow.platform.settings import (
    DatabaseSettings,
    EgressSettings,
    MissingSettings,
    PublishSettings,
    StorageSettings,
    WorkflowSettings,
)


@pytest.fixture(autouse=True)
def empty(monkeypatch: pytest.MonkeyPatch) -> None:
    for group in settings.Settings.__subclasses__():
        for key in group.keys():  # noqa: SIM118 - a method of settings, not of a mapping
            monkeypatch.delenv(key, raising=False)
    settings.forget()


def test_everything_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(MissingSettings) as error:
        settings.require((DatabaseSettings, StorageSettings, WorkflowSettings))
    for key in ("DATABASE_SECRET", "MEDIA_BUCKET", "INGEST_STATE_MACHINE", "PUBLISH_STATE_MACHINE"):
        assert f"SOCIALFLOW_{key}" in str(error.value)


def test_what_has_a_default_is_not_required() -> None:
    assert PublishSettings.from_env() == PublishSettings(prepare_lead=600, horizon=86_400, publish_lease=120)


def test_an_empty_value_is_a_missing_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOCIALFLOW_DATABASE_SECRET", "")
    with pytest.raises(MissingSettings):
        DatabaseSettings.from_env()


def test_numbers_and_lists_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOCIALFLOW_HORIZON", "60")
    monkeypatch.setenv("SOCIALFLOW_EGRESS_ALLOWED_HOSTS", "127.0.0.1:1, 127.0.0.1:2,")
    assert PublishSettings.from_env().horizon == 60
    assert EgressSettings.from_env().egress_allowed_hosts == ("127.0.0.1:1", "127.0.0.1:2")


def test_a_number_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOCIALFLOW_HORIZON", "soon")
    with pytest.raises(MissingSettings, match="SOCIALFLOW_HORIZON must be a whole number"):
        PublishSettings.from_env()
