"""The wire shapes of the system's own routes."""

from typing import Literal

from pydantic import BaseModel


class HealthOut(BaseModel):
    """Whether requests can be served."""

    status: Literal["ok"]
    database: Literal["reachable"]
