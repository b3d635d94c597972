"""Health says whether the database answers, and nothing about where it is."""

import json

import boto3
import pytest

from socialflow.platform import database, secrets, settings
from tests.api import Client
from tests.conftest import Cloud

PORT = 1  # nothing listens there


def test_health_is_open_to_everybody(clean: None) -> None:
    reply = Client().get("/v1/health")
    assert (reply.status, reply.json) == (200, {"status": "ok", "database": "reachable"})


def test_without_its_database_health_is_a_problem_that_leaks_nothing(
    clean: None, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = boto3.client("secretsmanager")
    secret = json.loads(keeper.get_secret_value(SecretId=cloud.database_secret)["SecretString"])
    gone = keeper.create_secret(Name="gone", SecretString=json.dumps({**secret, "port": PORT}))["ARN"]
    monkeypatch.setenv("SOCIALFLOW_DATABASE_SECRET", gone)
    settings.forget()
    database.forget()
    reply = Client().get("/v1/health")
    assert (reply.status, reply.code, reply.headers["retry-after"]) == (503, "unavailable", "5")
    assert not [word for word in ("127.0.0.1", secret["password"], str(PORT), "psycopg") if word in reply.text]
    monkeypatch.undo()
    settings.forget()
    secrets.forget_all()
