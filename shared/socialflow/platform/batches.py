"""Batches of a queue, for functions that are about one event."""

from functools import wraps
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from socialflow.platform.entry import Handler


def each_record(function: Handler) -> Handler:
    """Make a handler of one event take batches of a queue, too: what it fails on, and nothing else, comes again."""

    def one(record: SQSRecord) -> Any:
        return function(record.json_body, None)

    @wraps(function)
    def handler(event: dict[str, Any], context: Any) -> Any:
        if "Records" not in event:
            return function(event, context)
        processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
        return process_partial_response(event, one, processor, context)

    return handler
