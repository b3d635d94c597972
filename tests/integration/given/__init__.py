"""What an event's case presupposes: named preparations, each in the module of its area.

```python
# tests/integration/given/media.py
from tests.integration.given import World, preparation

@preparation("a photo in review")
def photo_in_review(world: World) -> dict[str, str]:
    ...
    return {"media_id": str(media_id)}   # `${media_id}` in the case stands for it
```
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import psycopg

from socialflow.platform.tenancy import Tenant
from tests.api import Issuer
from tests.conftest import Cloud


@dataclass(frozen=True)
class World:
    """What a preparation may use: two tenants, the AWS services by moto, the issuer, and the database's owner."""

    acme: Tenant
    contoso: Tenant
    cloud: Cloud
    issuer: Issuer
    owner: psycopg.Connection


Preparation = Callable[[World], Mapping[str, str]]
P = TypeVar("P", bound=Preparation)

PREPARATIONS: dict[str, Preparation] = {}


def preparation(name: str) -> Callable[[P], P]:
    """Register a preparation under the name that cases use."""

    def register(function: P) -> P:
        if name in PREPARATIONS:
            raise ValueError(f"Two preparations are named {name!r}")
        PREPARATIONS[name] = function
        return function

    return register
