"""Structured logs: one JSON line for each event, with ids and never with secrets, captions or tokens."""

import logging
import os

from aws_lambda_powertools import Logger

logger = Logger(service="socialflow", level=os.environ.get("SOCIALFLOW_LOG_LEVEL", "INFO"))
"""The functions' logger; `logger.append_keys(tenant=…)` holds for the rest of the invocation."""

# A library's DEBUG lines can carry headers and bodies.
for noisy in ("botocore", "boto3", "urllib3", "httpx", "httpcore", "psycopg"):
    logging.getLogger(noisy).setLevel(logging.WARNING)
