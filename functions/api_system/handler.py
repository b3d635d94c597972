"""Health, and every address that no other function has: the HTTP API's `$default` route ends here, as a problem."""

from functions.api_system.schemas import HealthOut
from socialflow.errors import Unavailable
from socialflow.platform import database
from socialflow.platform.http import api, entry, public
from socialflow.platform.settings import DatabaseSettings

NEEDS = (DatabaseSettings,)
app = api()


@app.get("/v1/health", summary="Tell whether requests can be served", tags=["system"])
@public
def health() -> HealthOut:
    """Ask the database for a sign of life; 503 without one, and nothing about where it is."""
    if not database.ping():
        raise Unavailable("The database does not answer. Nothing was changed; try again.", retry_after=5)
    return HealthOut(status="ok", database="reachable")


handler = entry(app, *NEEDS)
