"""Writes the parts of the docs that the code knows better, or checks that they are up to date.

    python -m infra_cdk.docs            python -m infra_cdk.docs --check

A part stands between `<!-- <name>: written by make docs -->` and `<!-- end of <name> -->`.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, get_args

from infra_cdk import openapi
from infra_cdk.local.offline_ai.shown import tables
from socialflow.entitlements.model import GIB, METERS, MIB, NAMES, PLANS, Meter
from socialflow.identity.api_keys import SCOPES
from socialflow.identity.model import Permission, Role, permissions_of
from socialflow.identity.support import PERMISSIONS as LOOKING
from socialflow.platform.settings import PREFIX, Settings

ROOT = Path(__file__).parents[1]
WORKFLOWS = ROOT / "infra_cdk" / "workflows"


def settings() -> str:
    """Return the table of settings, in the order of the code."""
    rows = ["| setting | default | what it is |", "|---|---|---|"]
    for group in Settings.__subclasses__():
        for field in fields(group):
            default = "required" if field.default is MISSING else _shown(field.default)
            rows.append(f"| `{PREFIX}{field.name.upper()}` | {default} | {field.metadata['what']} |")
    return "\n".join(rows)


def plans() -> str:
    """Return the table of plans: what each includes."""
    rows = ["| | " + " | ".join(plan.title for plan in PLANS.values()) + " |", "|---" * (len(PLANS) + 1) + "|"]
    for meter in METERS:
        limits = [_included(meter, plan.limits[meter]) for plan in PLANS.values()]
        rows.append(f"| {NAMES[meter]} (`{meter}`) | " + " | ".join(limits) + " |")
    return "\n".join(rows)


def _included(meter: Meter, limit: int | None) -> str:
    if limit is None:
        return "no limit"
    if not meter.endswith("_bytes"):
        return f"{limit:,}"
    return f"{limit // MIB:,} MiB" if limit % GIB else f"{limit // GIB:,} GiB"


def workflow(name: str) -> str:
    """Return a state machine as a Mermaid diagram."""
    machine = json.loads((WORKFLOWS / f"{name}.asl.json").read_text("utf-8"))
    return "\n".join(["```mermaid", "stateDiagram-v2", *_states(machine, "    "), "```"])


def permissions() -> str:
    """Return who has each permission, and which routes ask for it."""
    asking: dict[str, list[str]] = {}
    for path, methods in openapi.document()["paths"].items():
        for method, operation in methods.items():
            asking.setdefault(_asked(operation), []).append(f"`{method.upper()} {path.removeprefix('/v1')}`")
    roles = get_args(Role)
    rows = [
        f"| permission | {' | '.join(roles)} | API key | our support | routes, under `/v1` |",
        "|---|" + "---|" * (len(roles) + 3),
    ]
    for permission in get_args(Permission):
        held = [permission in permissions_of(role) for role in roles] + [permission in SCOPES, permission in LOOKING]
        marks = " | ".join("✓" if each else "" for each in held)
        rows.append(f"| `{permission}` | {marks} | {', '.join(asking.get(permission, ['none yet']))} |")
    everybody = " | ".join(["✓"] * len(roles))
    rows.append(f"| signed in | {everybody} | | | {', '.join(asking.get('signed in', []))} |")
    rows.append(f"| nobody asked | {everybody} | ✓ | ✓ | {', '.join(asking.get('nobody asked', []))} |")
    return "\n".join(rows)


PAGES = {
    "captions.md": {"offline captions": tables},
    "security.md": {"permissions": permissions},
    "operations.md": {"plans": plans, "settings": settings},
    "architecture.md": {
        "ingest media": lambda: workflow("ingest_media"),
        "publish post": lambda: workflow("publish_post"),
        "migrate tenants": lambda: workflow("migrate_tenants"),
        "export tenant": lambda: workflow("export_tenant"),
        "render media": lambda: workflow("render_media"),
        "write caption": lambda: workflow("write_caption"),
        "hash video": lambda: workflow("hash_video"),
        "embed media": lambda: workflow("embed_media"),
    },
}


def renewed(page: str, name: str) -> str:
    """Return a page's text with its written parts as the code has them now."""
    for part, write in PAGES[name].items():
        begin, end = f"<!-- {part}: written by make docs -->", f"<!-- end of {part} -->"
        before, rest = page.split(begin)
        _old, after = rest.split(end)
        page = f"{before}{begin}\n\n{write()}\n\n{end}{after}"
    return page


def main(arguments: list[str]) -> int:
    """Write, or with `--check` compare; the exit code is 1 where a page is old."""
    old = 0
    for name in PAGES:
        path = ROOT / "docs" / name
        page = path.read_text("utf-8")
        if renewed(page, name) == page:
            continue
        old += 1
        if arguments == ["--check"]:
            sys.stderr.write(f"docs/{name} is not what the code says. Run `make docs`.\n")
        else:
            path.write_text(renewed(page, name), "utf-8")
    return 1 if old and arguments == ["--check"] else 0


def _states(machine: dict[str, Any], indent: str) -> Iterator[str]:
    names = {name: "".join(word.capitalize() for word in name.split()) for name in machine["States"]}
    yield f"{indent}[*] --> {names[machine['StartAt']]}"
    for name, state in machine["States"].items():
        yield f'{indent}state "{name}" as {names[name]}'
        inner = state.get("ItemProcessor")
        if inner:
            yield f"{indent}state {names[name]} {{"
            yield from _states(inner, indent + "    ")
            yield f"{indent}}}"
        for label, target in _ways_out(state):
            yield f"{indent}{names[name]} --> {names[target]}{label}"
        if state.get("End") or state["Type"] in ("Succeed", "Fail"):
            yield f"{indent}{names[name]} --> [*]"


def _ways_out(state: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for rule in state.get("Choices", []):
        value = next((value for key, value in rule.items() if key not in ("Variable", "Next", "Comment")), "")
        yield f": {value}" if isinstance(value, str) else "", rule["Next"]
    for rule in state.get("Catch", []):
        yield f": {', '.join(rule['ErrorEquals'])}", rule["Next"]
    if "Default" in state:
        yield ": otherwise", state["Default"]
    if "Next" in state:
        yield "", state["Next"]


def _asked(operation: Mapping[str, Any]) -> str:
    if operation.get("security") == []:
        return "nobody asked"
    return str(operation.get("x-permission", "signed in"))


def _shown(default: object) -> str:
    return f"`{default}`" if default not in ("", ()) else "empty"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
