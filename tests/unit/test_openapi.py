"""The document of the whole API: complete, valid, up to date, and nothing collapsed silently."""

import json
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import BaseModel, Field, create_model

from infra_cdk import openapi, openapi_components
from infra_cdk.openapi import merged
from infra_cdk.openapi_components import Unmergeable
from socialflow.identity import door
from socialflow.platform.http import Api, Limit, Response, api, if_match, once, public, requires

FUNCTIONS = {path.name for path in (openapi.ROOT / "functions").glob("api_*") if (path / "handler.py").exists()}


class OneOut(BaseModel):
    id: UUID


class OneIn(BaseModel):
    text: Annotated[str, Field(max_length=10)]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi.document()


def app_of(path: str, model: type[BaseModel] = OneOut) -> Api:
    made = api(door)

    def read() -> BaseModel:
        raise NotImplementedError

    read.__annotations__["return"] = model
    made.get(path)(public(read))
    return made


def test_the_committed_document_is_up_to_date() -> None:
    assert openapi.DOCUMENT.read_text(encoding="utf-8") == openapi.written(), "run make openapi"


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    OpenAPIV31SpecValidator(json.loads(json.dumps(document))).validate()


def test_every_function_is_in_the_document(document: dict[str, Any]) -> None:
    operations = [operation for methods in document["paths"].values() for operation in methods.values()]
    assert {operation["x-function"] for operation in operations} == FUNCTIONS


def test_every_route_of_every_function_is_in_the_document(document: dict[str, Any]) -> None:
    routes = {route for _, app in openapi.applications() for route in app.access}
    found = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert found == routes


def test_a_folder_without_an_application_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "functions" / "api_forgotten"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    monkeypatch.setattr(openapi, "ROOT", tmp_path)
    with pytest.raises(Unmergeable, match="api_forgotten has no handler"):
        openapi.document()


def test_two_different_models_of_one_name_are_refused() -> None:
    other = create_model("OneOut", name=(str, ...))
    with pytest.raises(Unmergeable, match="different model OneOut"):
        merged({"api_a": app_of("/v1/a"), "api_b": app_of("/v1/b", other)})
    assert "OneOut" in merged({"api_a": app_of("/v1/a"), "api_b": app_of("/v1/b")})["components"]["schemas"]


def test_two_models_of_one_name_in_one_function_are_refused() -> None:
    made = api(door)
    other = create_model("OneOut", __module__="another", name=(str, ...))
    for path, model in (("/v1/a", OneOut), ("/v1/b", other)):

        def read() -> BaseModel:
            raise NotImplementedError

        read.__annotations__["return"] = model
        made.get(path)(public(read))
    with pytest.raises(Unmergeable, match="two models of one name"):
        merged({"api_a": made})


def test_two_functions_of_one_route_are_refused() -> None:
    with pytest.raises(Unmergeable, match="GET /v1/a too"):
        merged({"api_a": app_of("/v1/a"), "api_b": app_of("/v1/a")})


def test_what_the_guard_asks_and_how_it_refuses_is_told() -> None:
    made = api(door)

    @made.patch("/v1/things/<thing_id>")
    @requires("media:write")
    def change(thing_id: UUID, body: OneIn, limit: Limit = 50) -> Response[OneOut]:
        if_match()
        raise NotImplementedError

    @made.post("/v1/things/<thing_id>/read", status_code=204)
    @requires("media:read", mutates=False)
    def read(thing_id: UUID) -> None: ...

    @made.post("/v1/things/<thing_id>/touch")
    @requires("media:write")
    def touch(thing_id: UUID, body: OneIn | None = None) -> OneOut:
        raise NotImplementedError

    @made.post("/v1/things")
    @requires("media:write")
    def make(body: OneIn) -> Response[OneOut]:
        return once(None, lambda: None)  # type: ignore[arg-type, return-value] # only that it is called is looked at

    paths = merged({"api_things": made})["paths"]
    patch, post = paths["/v1/things/{thing_id}"]["patch"], paths["/v1/things"]["post"]
    references = {parameter["$ref"] for parameter in patch["parameters"] if "$ref" in parameter}
    assert references == {"#/components/parameters/Tenant", "#/components/parameters/IfMatch"}
    assert patch["x-permission"] == "media:write"
    assert set(patch["responses"]) == {
        *("200", "400", "401", "403", "404", "409", "412", "413", "415", "422", "428", "default")
    }
    assert {"$ref": "#/components/parameters/IdempotencyKey"} in post["parameters"]
    touched = paths["/v1/things/{thing_id}/touch"]["post"]["requestBody"]
    assert touched == {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/OneIn"}}}}
    assert paths["/v1/things/{thing_id}/read"]["post"]["responses"]["204"] == {"description": "Successful Response"}


def test_the_list_of_problems_is_closed(document: dict[str, Any]) -> None:
    problem = document["components"]["schemas"]["Problem"]["properties"]
    assert problem["code"]["enum"] == sorted(openapi_components.refusals())
    assert {"not-found", "token-expired", "cursor-expired", "internal"} <= set(problem["code"]["enum"])
    assert len(problem["type"]["enum"]) == len(problem["code"]["enum"])


def test_no_error_shape_of_powertools_is_left(document: dict[str, Any]) -> None:
    assert "ValidationError" not in json.dumps(document)
