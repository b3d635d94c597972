"""The doorbell: after a commit the relay is told that facts are waiting. A schedule rings each minute as the net."""

import json

from botocore.exceptions import BotoCoreError, ClientError

from socialflow.platform.aws import client
from socialflow.platform.observability import logger
from socialflow.platform.settings import DoorbellSettings


def ring(cell: str) -> None:
    """Ring for a cell. What cannot be rung is logged: the facts are safe, and a minute late at the most."""
    url = DoorbellSettings.from_env().doorbell_queue_url
    try:
        client("sqs").send_message(QueueUrl=url, MessageBody=json.dumps({"cell": cell}))
    except (BotoCoreError, ClientError):
        logger.warning("The relay's doorbell could not be rung", exc_info=True)
