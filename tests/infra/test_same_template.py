"""The stack on one machine is prod's stack: every difference of the two templates is listed here, with its reason."""

import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from tests.infra.conftest import Assembly

VARIABLES = "Resources/*Function????????/Properties/Environment/Variables"
# Paths are those of the templates after the stage's own prefix in physical names is replaced in both;
# `*` stands for anything inside one step of a path, and a `+` at the end of a step for: only one of them has it.
ALLOWED = {
    "Resources/*/Properties/Tags/*/Value": "the tag `stage` says which stage it is",
    "Resources/*/Properties/Tags/stage": "the same, where tags are a map",
    f"{VARIABLES}/SOCIALFLOW_STAGE": "the name of the stage, for logs",
    f"{VARIABLES}/SOCIALFLOW_OIDC_ISSUER": "each stage believes an issuer of its own",
    f"{VARIABLES}/SOCIALFLOW_OIDC_JWKS_URL": "the same issuer's keys",
    f"{VARIABLES}/SOCIALFLOW_INVITATION_PAGE": "each stage has a web application of its own",
    f"{VARIABLES}/SOCIALFLOW_APP_ORIGINS": "the same: a payment returns to it",
    f"{VARIABLES}/SOCIALFLOW_REQUESTS_PER_MINUTE": "the demo and the tests ask more often than a person does",
    f"{VARIABLES}/SOCIALFLOW_EGRESS_ALLOWED_HOSTS": "the local networks are on loopback, which is refused elsewhere",
    f"{VARIABLES}/SOCIALFLOW_CAPTION_*": "the one offline model has an address and a key, Bedrock's have neither",
    f"{VARIABLES}/SOCIALFLOW_EMBEDDING_MODEL": "the offline model knows words alone",
    f"{VARIABLES}/SOCIALFLOW_CAPTIONS_PER_MINUTE": "nobody pays for the offline model, and it refuses nobody",
    f"{VARIABLES}/SOCIALFLOW_INGEST_AT_ONCE": "one machine processes a few files at once",
    f"{VARIABLES}/SOCIALFLOW_RENDITIONS_AT_ONCE": "the same for renditions",
    "Resources/taskwritecaptionRoleDefaultPolicy*/Properties/PolicyDocument/Statement": (
        "the same: the key's secret in one, the model in the other"
    ),
    "Resources/taskembedmediaRoleDefaultPolicy*/Properties/PolicyDocument/Statement": "the same for vectors",
    "Resources/*Function????????/Properties/ReservedConcurrentExecutions+": (
        "the engine starts a process for each call in flight, so what is called again after a refusal is capped there"
    ),
    "Resources/taskpublishtargetFunction*/Properties/ReservedConcurrentExecutions": (
        "publishing is capped there, and keeps a reserve in prod"
    ),
    "Resources/taskwritecaptionFunction*/Properties/ReservedConcurrentExecutions": (
        "captions are capped everywhere, to what the machine or the account can spare"
    ),
    "Resources/task*FunctionCurrentVersion*+": "a version is named by what it holds: layers and settings, as above",
    "Resources/task*Live????????/Properties/FunctionVersion/Fn::GetAtt/0": "the same, where its alias names it",
    "Resources/ApiHttp*/Properties/CorsConfiguration/AllowOrigins/0": "the address of the stage's web application",
    "Resources/Layers*/Properties/Content/S3Key": "layers for this machine there, for Graviton in prod",
    "Resources/*Logs????????/Properties/RetentionInDays": "logs on one machine are kept for a day",
    "Resources/*Logs????????/DeletionPolicy": "prod keeps its logs when the stack goes",
    "Resources/*Logs????????/UpdateReplacePolicy": "the same, when a log group is replaced",
}


def _normalized(template: dict[str, Any], stage: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(template).replace(f"socialflow-{stage}", "socialflow-STAGE"))
    # Present where no interpreter compiles for the target; tests/infra/test_layers.py holds it.
    found.get("Rules", {}).pop("LayersAreCompiled", None)
    return found


def _differences(one: Any, other: Any, path: str = "") -> Iterator[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted(set(one) | set(other)):
            step = f"{path}/{key}" if path else key
            if key in one and key in other:
                yield from _differences(one[key], other[key], step)
            else:
                yield f"{step}+"
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (each, its) in enumerate(zip(one, other, strict=True)):
            yield from _differences(each, its, f"{path}/{index}")
    elif one != other:
        yield path


def _matches(path: str, pattern: str) -> bool:
    steps, wanted = path.split("/"), pattern.split("/")
    return len(steps) == len(wanted) and all(fnmatchcase(step, want) for step, want in zip(steps, wanted, strict=True))


def _found(local: Assembly, prod: Assembly) -> list[str]:
    return list(_differences(_normalized(local.service.body, "local"), _normalized(prod.service.body, "prod")))


def test_every_difference_of_the_service_stacks_is_allowed_with_a_reason(local: Assembly, prod: Assembly) -> None:
    unexplained = [path for path in _found(local, prod) if not any(_matches(path, pattern) for pattern in ALLOWED)]
    assert unexplained == []


def test_every_allowance_is_used(local: Assembly, prod: Assembly) -> None:
    found = _found(local, prod)
    assert [pattern for pattern in ALLOWED if not any(_matches(path, pattern) for path in found)] == []


def test_a_difference_in_a_list_a_value_or_a_key_is_seen() -> None:
    one = {"a": [1, 2], "b": {"c": 1}, "d": 0, "same": [{"x": 1}]}
    other = {"a": [1], "b": {"c": 2}, "e": 0, "same": [{"x": 1}]}
    assert list(_differences(one, other)) == ["a", "b/c", "d+", "e+"]
