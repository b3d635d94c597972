"""Refusals on the wire: one shape, with the headers that belong to the status."""

import pytest

from socialflow.platform.observability import logger
from tests.unit.http.conftest import JSON, SIGNED_IN, THING, Edge


def test_a_refusal_carries_its_facts_and_headers(edge: Edge) -> None:
    reply = edge.ask("GET", "/v1/refuse/conflict")
    assert (reply.status, reply.headers["retry-after"], reply.json["state"]) == (409, "2", "busy")
    assert reply.json["title"] == "It conflicts with the present state"


@pytest.mark.parametrize(
    ("name", "status", "header", "value"),
    [("precondition", 412, "etag", '"9"'), ("limit", 429, "retry-after", "30"), ("down", 503, "retry-after", "2")],
)
def test_a_status_has_its_header(edge: Edge, name: str, status: int, header: str, value: str) -> None:
    reply = edge.ask("GET", f"/v1/refuse/{name}")
    assert (reply.status, reply.headers[header]) == (status, value)


def test_nobody_signed_in_is_told_how(edge: Edge) -> None:
    assert edge.ask("GET", "/v1/mine", headers={}).headers["www-authenticate"].startswith("Bearer ")


def test_errors_name_their_fields(edge: Edge) -> None:
    assert edge.ask("GET", "/v1/refuse/fields").json["errors"] == [
        {"pointer": "/a", "code": "wrong"},
        {"pointer": "/b", "code": "wrong", "detail": "Why."},
    ]


def test_facts_do_not_replace_the_members_of_a_problem(edge: Edge) -> None:
    assert edge.ask("GET", "/v1/refuse/masked").json["status"] == 409


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ("{}", [("/text", "missing")]),
        ('{"text": "a", "more": 1}', [("/more", "extra-forbidden")]),
        ('{"text": "a", "parts": [{"size": 1}, {"size": 11}]}', [("/parts/1/size", "less-than-equal")]),
        ('{"text": "a", "parts": [{}]}', [("/parts/0/size", "missing")]),
        ('{"text": 7, "parts": {}}', [("/text", "string-type"), ("/parts", "list-type")]),
        # a union: pydantic puts the member's name into the place; it is not in the body
        ('{"text": "a", "at": {"size": 99}}', [("/at", "int-type"), ("/at/size", "less-than-equal")]),
        ('{"text": "a", "at": {}}', [("/at", "int-type"), ("/at/size", "missing")]),
    ],
)
def test_a_wrong_body_is_told_where(edge: Edge, body: str, errors: list[tuple[str, str]]) -> None:
    reply = edge.ask("POST", "/v1/things", body)
    assert (reply.status, reply.code) == (422, "invalid")
    assert [(error["pointer"], error["code"]) for error in reply.json["errors"]] == errors
    assert all(error["detail"] for error in reply.json["errors"])


def test_a_flood_of_errors_is_cut(edge: Edge) -> None:
    body = '{"text": "a", "parts": [' + ",".join(["{}"] * 500) + "]}"
    assert len(edge.ask("POST", "/v1/things", body).json["errors"]) == 50


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "limit=1&limit=2", "limit="])
def test_a_wrong_query_is_told_where(edge: Edge, query: str) -> None:
    reply = edge.ask("GET", f"/v1/things?{query}")
    assert (reply.status, [error["pointer"] for error in reply.json["errors"]]) == (422, ["?limit"])


@pytest.mark.parametrize("query", ["cursor=%00", "%00=1", "cursor=a%00b"])
def test_a_query_of_unfit_text_is_refused(edge: Edge, query: str) -> None:
    reply = edge.ask("GET", f"/v1/things?{query}")
    assert (reply.status, reply.json["errors"][0]["code"]) == (422, "text-invalid")


@pytest.mark.parametrize("name", ["7", "not-an-id", "%00", "..", str(THING) + "0", "'; DROP TABLE things; --"])
def test_an_id_that_cannot_be_one_is_not_there(edge: Edge, name: str) -> None:
    headers = {**SIGNED_IN, **JSON, "if-match": "*"}
    assert edge.ask("PATCH", f"/v1/things/{name}", '{"text": 7}', headers).status == 404


@pytest.mark.parametrize("path", ["/v1/bug", "/v1/lies"])
def test_a_bug_is_told_without_its_words_and_logged_with_them(
    edge: Edge, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    reply = edge.ask("GET", path)
    assert (reply.status, reply.code) == (500, "internal")
    assert "hunter2" not in reply.text
    assert "secret" not in reply.text
    failures = [record for record in caplog.records if record.levelname == "ERROR"]
    assert len(failures) == 1
    assert failures[0].exc_info
    assert logger.get_current_keys()["request_id"] == reply.json["request_id"]


def test_a_refusal_is_no_error_in_the_log(edge: Edge, caplog: pytest.LogCaptureFixture) -> None:
    edge.ask("GET", "/v1/refuse/conflict")
    assert {record.levelname for record in caplog.records} == {"INFO"}


def test_what_we_lack_is_an_error_in_the_log(edge: Edge, caplog: pytest.LogCaptureFixture) -> None:
    assert edge.ask("GET", "/v1/refuse/down").status == 503
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == ["Not served"]


def test_an_answer_of_the_wrong_shape_is_logged_with_its_fields_and_without_its_values(
    edge: Edge, caplog: pytest.LogCaptureFixture
) -> None:
    edge.ask("GET", "/v1/lies")
    failure = next(record for record in caplog.records if record.levelname == "ERROR")
    assert vars(failure)["fields"] == [{"loc": ["response", "id"], "type": "uuid_parsing"}]
