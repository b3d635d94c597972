"""X under the faults of every network."""

from tests.integration.publishing.faults import Faults


class TestX(Faults):
    """Nothing twice, nothing lost."""
