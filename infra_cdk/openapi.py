"""docs/openapi.json, made from the applications of every `functions/api_*`: `python -m infra_cdk.openapi [--check]`.

Powertools describes each function's routes and models. This merges them, and adds what the guard and the edge do for
every route: sign-in, the tenant's header, permissions, preconditions, problem documents.
"""

import argparse
import importlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

from openapi_spec_validator import OpenAPIV31SpecValidator

from infra_cdk import openapi_components as components
from infra_cdk.openapi_components import Unmergeable
from socialflow.platform.http import Api

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "openapi.json"
CSV_EXAMPLE = ROOT / "docs" / "posts.csv"

_OWN_MODELS = {"HTTPValidationError", "ValidationError", "ResponseValidationError"}
"""Powertools' shapes of errors, which never leave: every refusal is a problem document."""
_COUNTED = {
    ("POST", f"/v1/{path}")
    for path in ("media/uploads", "posts", "posts/import", "accounts", "api-keys", "invitations")
}
"""Routes that take of what the tenant's plan includes."""
_DESCRIPTION = """From a team's upload to a published post.

Send `Authorization: Bearer <token>`, and `X-Tenant-Id` with a tenant's slug or id wherever a permission is asked for.
Every answer to somebody who is signed in tells how often they may ask: `RateLimit-Limit` a minute, `-Remaining` now,
and `-Reset`, the seconds until all of it is there again. Past that: 429, with `Retry-After`.
Whatever goes wrong is a problem document (RFC 9457) with a `code`, and a `detail` that says what to do next.
Lists of states and roles are open: accept values that you do not know.
"""


def document() -> dict[str, Any]:
    """Return the whole API's document; raises `Unmergeable`."""
    return merged(dict(applications()))


def applications() -> Iterator[tuple[str, Api]]:
    """Yield the application of every HTTP function, by the function's name."""
    for folder in sorted(path for path in (ROOT / "functions").glob("api_*") if path.is_dir()):
        if not (folder / "handler.py").exists():
            if any(folder.glob("*.py")):
                raise Unmergeable(f"{folder.name} has no handler.py")
            continue
        app = getattr(importlib.import_module(f"functions.{folder.name}.handler"), "app", None)
        if not isinstance(app, Api) or not app.access:
            raise Unmergeable(f"{folder.name} has no application with routes: app = api(door)")
        yield folder.name, app


def merged(apps: Mapping[str, Api]) -> dict[str, Any]:
    """Return one document of several applications; raises `Unmergeable`."""
    paths: dict[str, dict[str, Any]] = {}
    schemas: dict[str, Any] = {}
    operations: dict[str, str] = {}
    for name, app in apps.items():
        found = _described(app)
        for path, method, operation in _operations(found):
            if method in paths.get(path, {}):
                raise Unmergeable(f"{name}: another function has {method.upper()} {path} too")
            other = operations.setdefault(operation["operationId"], f"{method.upper()} {path}")
            if other != f"{method.upper()} {path}":
                raise Unmergeable(f"{name}: the operation id {operation['operationId']} is also that of {other}")
            paths.setdefault(path, {})[method] = _completed(operation, name, app, (method.upper(), path))
        _merge_schemas(schemas, found.get("components", {}).get("schemas", {}), name)
    return {
        "openapi": "3.1.0",
        "info": {"title": "SocialFlow", "version": "1", "description": _DESCRIPTION},
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "paths": {path: dict(sorted(paths[path].items())) for path in sorted(paths)},
        "components": components.of(dict(sorted(schemas.items()))),
    }


def written() -> str:
    """Return the document as it stands in the file, checked by an independent validator."""
    made = document()
    OpenAPIV31SpecValidator(made).validate()
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def _described(app: Api) -> dict[str, Any]:
    text = app.get_openapi_json_schema(title="SocialFlow", version="1", openapi_version="3.1.0")
    found: dict[str, Any] = json.loads(text)
    return found


def _operations(found: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def _completed(operation: dict[str, Any], function: str, app: Api, route: tuple[str, str]) -> dict[str, Any]:
    """Add to an operation what the guard asks and how it refuses."""
    access, called = app.access[route], _called(app.functions[route])
    parameters = operation.setdefault("parameters", [])
    statuses = _preconditions(app.functions[route], called, parameters)
    if access.signed_in:
        statuses |= {401}
    else:
        operation["security"] = []
    if access.permission:
        operation["x-permission"] = access.permission
        operation["x-reads-only"] = not access.changes(route[0])
        operation["x-while-suspended"] = not access.needs_active(route[0])
        parameters.append({"$ref": "#/components/parameters/Tenant"})
        statuses |= {400, 403}
    if "csv_body" in called:
        file = {"schema": {"type": "string"}, "example": CSV_EXAMPLE.read_text("utf-8")}
        operation["requestBody"] = {"required": True, "content": {"text/csv": file}}
        statuses |= {413, 415, 422}
    elif "raw_body" in called:  # whose signature is verified before anything is read
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}
        statuses |= {401, 413, 422}
    elif "requestBody" in operation:
        _take_no_null(operation["requestBody"])
        statuses |= {413, 415, 422}
    if any(parameter.get("in") == "query" for parameter in parameters):
        statuses |= {422}
    if any(parameter.get("in") == "path" for parameter in parameters):
        statuses |= {404, 409} if access.changes(route[0]) else {404}
    if route in _COUNTED:
        statuses |= {402}
    operation["x-function"] = function
    if not parameters:
        del operation["parameters"]
    _add_responses(operation["responses"], statuses, tagged="tagged" in called)
    return operation


def _take_no_null(body: dict[str, Any]) -> None:
    """Say of a body that may be left out just that: the edge refuses a literal null."""
    for content in body["content"].values():
        either = content["schema"].get("anyOf", [])
        if {"type": "null"} in either:
            (content["schema"],) = (schema for schema in either if schema != {"type": "null"})


def _preconditions(function: Callable[..., Any], called: set[str], parameters: list[dict[str, Any]]) -> set[int]:
    """Add the headers that a route reads by the helpers of the edge; return the statuses that come with them."""
    statuses = set[int]()
    if "if_match" in _names(function.__code__):
        parameters.append({"$ref": "#/components/parameters/IfMatch"})
        statuses |= {412, 428}
    elif called & {"if_match", "if_match_where_given"}:  # by way of a helper: the body may say as much
        parameters.append({"$ref": "#/components/parameters/OptionalIfMatch"})
        statuses |= {412, 428} if "if_match" in called else {412}
    if called & {"once", "idempotency_claim"}:
        parameters.append({"$ref": "#/components/parameters/IdempotencyKey"})
        statuses |= {409, 422}
    return statuses


def _called(function: Callable[..., Any]) -> set[str]:
    """Return the names that a route's function uses, also by way of the functions of its own module."""
    names, seen, waiting = set[str](), set[FunctionType](), [function]
    while waiting:
        one = waiting.pop()
        if not isinstance(one, FunctionType) or one in seen or one.__module__ != function.__module__:
            continue
        seen.add(one)
        used = _names(one.__code__)
        names |= used
        waiting.extend(one.__globals__[name] for name in used if name in one.__globals__)
    return names


def _names(code: CodeType) -> set[str]:
    inner = (_names(constant) for constant in code.co_consts if isinstance(constant, CodeType))
    return set(code.co_names).union(*inner)


def _add_responses(responses: dict[str, Any], statuses: set[int], *, tagged: bool) -> None:
    for answered, response in responses.items():
        if answered == "204":
            response.pop("content", None)
        if tagged:
            response["headers"] = {"ETag": {"$ref": "#/components/headers/ETag"}}
    for status in sorted(statuses):
        responses[str(status)] = {"$ref": f"#/components/responses/Problem{status}"}
    responses["default"] = {"$ref": "#/components/responses/Problem"}


def _merge_schemas(schemas: dict[str, Any], found: Mapping[str, Any], function: str) -> None:
    for name, schema in found.items():
        if name in _OWN_MODELS:
            continue
        if "__" in name:
            raise Unmergeable(f"{function}: two models of one name, {name.rsplit('__', maxsplit=1)[-1]}")
        if schemas.setdefault(name, schema) != schema:
            raise Unmergeable(f"{function}: another function has a different model {name}")


def main(write: Callable[[str], object] = sys.stderr.write) -> int:
    """Write the document; with --check, only say whether the file is up to date. Return the exit status."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where the file is out of date")
    checked = parser.parse_args().check
    text = written()
    if not checked:
        DOCUMENT.write_text(text, encoding="utf-8")
        return 0
    if DOCUMENT.exists() and DOCUMENT.read_text(encoding="utf-8") == text:
        return 0
    write("docs/openapi.json is out of date: run make openapi\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
