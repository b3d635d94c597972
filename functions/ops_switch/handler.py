"""Stops what goes out (everything, a network, a tenant), or lets it go on. Invoked by an operator."""

from typing import Any

from socialflow.errors import Invalid
from socialflow.platform import registry
from socialflow.platform.operations import operation
from socialflow.platform.settings import DatabaseSettings
from socialflow.publishing import switches
from socialflow.publishing.switches import Switch

NEEDS = (DatabaseSettings,)


@operation(*NEEDS)
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Take `{action: stop, reason, by}` or `{action: go, by}`, with one of `all: true`, `network` and `tenant`."""
    switch = _switch(event)
    match event["action"]:
        case "stop":
            changed = switches.stop(switch, reason=str(event.get("reason") or ""))
        case "go":
            changed = switches.go(switch)
        case other:
            raise ValueError(f"There is no action {other!r}")
    return {"outcome": "stopped" if event["action"] == "stop" else "going", "changed": changed}


def _switch(event: dict[str, Any]) -> Switch:
    """Return what is meant: exactly one thing, as a forgotten name must not stop everybody."""
    match {name: event[name] for name in ("all", "network", "tenant") if event.get(name)}:
        case {"all": True, **rest} if not rest:
            return switches.everything()
        case {"network": str(network), **rest} if not rest:
            return switches.of_network(network)
        case {"tenant": str(tenant), **rest} if not rest:
            return switches.of_tenant(registry.named(tenant))
        case _:
            raise Invalid("Say what: `all` (true), a `network` or a `tenant`, and one of them only.")
