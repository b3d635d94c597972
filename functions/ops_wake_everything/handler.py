"""After a loss of executions (a restored region, a killed engine) every subject with work is started anew.

Invoked by an operator, and by each start of the stack on one machine, whose engine keeps no executions.
"""

from typing import Any

from socialflow.platform import work
from socialflow.platform.operations import operation
from socialflow.platform.settings import DatabaseSettings

NEEDS = (DatabaseSettings,)


@operation(*NEEDS, anonymous=True)
def handler(_event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Return how many subjects were made due; the reconciler starts them within a minute."""
    return {"outcome": "woken", "subjects": work.wake_everything()}
