"""The bus of facts, the doorbell of the outbox, and where what could not be delivered waits for a person."""

from collections.abc import Sequence

from aws_cdk import Duration, aws_events, aws_events_targets, aws_lambda, aws_sqs
from aws_cdk.aws_lambda_destinations import SqsDestination
from aws_cdk.aws_lambda_event_sources import SqsEventSource
from constructs import Construct

from infra_cdk.constructs.nag import accept
from infra_cdk.constructs.service_function import ServiceFunction
from infra_cdk.stages import Stage

EACH_DAY = aws_events.Schedule.rate(Duration.days(1))
EACH_HOUR = aws_events.Schedule.rate(Duration.hours(1))
EACH_MINUTE = aws_events.Schedule.rate(Duration.minutes(1))
SOURCE = "socialflow"
# Past an hour the reconciler has long done what a late event would ask for.
STALE = Duration.hours(1)
ATTEMPTS = 8
# The queue waits this many runs of its consumer before it hands a message out again (AWS asks for six).
VISIBILITY = 6


class Messaging(Construct):
    """Bus, doorbell queue and the queue of the undelivered."""

    def __init__(self, scope: Construct, construct_id: str, stage: Stage) -> None:
        """Names follow the stage."""
        super().__init__(scope, construct_id)
        self.bus = aws_events.EventBus(self, "Bus", event_bus_name=f"{stage.prefix}-facts")
        self.undelivered = self._dead_letters("Undelivered", f"{stage.prefix}-undelivered")
        self._doorbell_dead = self._dead_letters("DoorbellDead", f"{stage.prefix}-doorbell-dead")
        self._stage = stage

    def doorbell(self, seconds: int) -> aws_sqs.Queue:
        """The queue that wakes the relay, whose timeout in seconds is given."""
        return aws_sqs.Queue(
            self,
            "Doorbell",
            queue_name=f"{self._stage.prefix}-doorbell",
            retention_period=STALE,
            visibility_timeout=Duration.seconds(VISIBILITY * seconds),
            dead_letter_queue=aws_sqs.DeadLetterQueue(queue=self._doorbell_dead, max_receive_count=5),
            encryption=aws_sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
        )

    def _dead_letters(self, construct_id: str, name: str) -> aws_sqs.Queue:
        queue = aws_sqs.Queue(
            self,
            construct_id,
            queue_name=name,
            retention_period=Duration.days(14),
            encryption=aws_sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
        )
        accept(queue, "SQS3", "It is the dead-letter queue.")
        return queue

    def consume(self, queue: aws_sqs.Queue, function: ServiceFunction) -> None:
        """Run the function on the queue: a batch is one ring, and two at a time are plenty."""
        function.function.add_event_source(SqsEventSource(queue, batch_size=10, max_concurrency=2))

    def on_facts(self, function: ServiceFunction, facts: Sequence[str]) -> None:
        """Run the function on these facts of the product."""
        pattern = aws_events.EventPattern(source=[SOURCE], detail_type=list(facts))
        self._rule(function, "OnFacts", pattern, self.bus)

    def on_aws(self, function: ServiceFunction, pattern: aws_events.EventPattern) -> None:
        """Run the function on an event of an AWS service."""
        self._rule(function, "OnEvent", pattern, None)

    def on_many_facts(self, function: ServiceFunction, facts: Sequence[str], *, at_once: int) -> None:
        """Run the function on batches of these facts, so many at once; what comes in crowds waits in a queue."""
        pattern = aws_events.EventPattern(source=[SOURCE], detail_type=list(facts))
        self._rule_of(self._batches(function, at_once, apart=False), "OnManyFacts", pattern, self.bus)

    def on_many_of_aws(self, function: ServiceFunction, pattern: aws_events.EventPattern, *, at_once: int) -> None:
        """Run the function on batches of events of an AWS service; it says which of a batch it has failed on."""
        self._rule_of(self._batches(function, at_once, apart=True), "OnManyEvents", pattern, None)

    def each_minute(self, function: ServiceFunction) -> None:
        """Run the function each minute; a minute missed is made good by the next, so nothing is repeated."""
        rule = aws_events.Rule(function, "EachMinute", schedule=EACH_MINUTE)
        rule.add_target(self._target(function, attempts=0))

    def each_hour(self, function: ServiceFunction) -> None:
        """Run the function each hour; what one hour leaves, the next does."""
        rule = aws_events.Rule(function, "EachHour", schedule=EACH_HOUR)
        rule.add_target(self._target(function, attempts=0))

    def each_day(self, function: ServiceFunction) -> None:
        """Run the function each day; what one day fails at, the next does."""
        rule = aws_events.Rule(function, "EachDay", schedule=EACH_DAY)
        rule.add_target(self._target(function, attempts=0))

    def ring_each_minute(self, queue: aws_sqs.Queue) -> None:
        """Ring without a reason: what a lost ring left behind leaves within a minute."""
        message = aws_events.RuleTargetInput.from_object({"reason": "schedule"})
        rule = aws_events.Rule(self, "RingEachMinute", schedule=EACH_MINUTE)
        rule.add_target(
            aws_events_targets.SqsQueue(queue, message=message, dead_letter_queue=self.undelivered, retry_attempts=0)
        )

    def _batches(self, function: ServiceFunction, at_once: int, *, apart: bool) -> aws_sqs.Queue:
        """A queue in front of the function; what it fails on is handed out again, five times, and then kept."""
        queue = aws_sqs.Queue(
            function,
            "Queue",
            queue_name=f"{self._stage.prefix}-{function.name}",
            retention_period=STALE,
            visibility_timeout=Duration.seconds(VISIBILITY * function.size.timeout),
            dead_letter_queue=aws_sqs.DeadLetterQueue(queue=self.undelivered, max_receive_count=5),
            encryption=aws_sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
        )
        function.function.add_event_source(
            SqsEventSource(queue, batch_size=10, max_concurrency=at_once, report_batch_item_failures=apart)
        )
        return queue

    def _rule_of(
        self, queue: aws_sqs.Queue, construct_id: str, pattern: aws_events.EventPattern, bus: aws_events.EventBus | None
    ) -> None:
        rule = aws_events.Rule(queue, construct_id, event_bus=bus, event_pattern=pattern)
        rule.add_target(
            aws_events_targets.SqsQueue(
                queue, dead_letter_queue=self.undelivered, retry_attempts=ATTEMPTS, max_event_age=STALE
            )
        )

    def _rule(
        self,
        function: ServiceFunction,
        construct_id: str,
        pattern: aws_events.EventPattern,
        bus: aws_events.EventBus | None,
    ) -> None:
        rule = aws_events.Rule(function, construct_id, event_bus=bus, event_pattern=pattern)
        rule.add_target(self._target(function, attempts=ATTEMPTS))

    def _target(self, function: ServiceFunction, *, attempts: int) -> aws_events_targets.LambdaFunction:
        """Deliver to the function; what it fails on, after the retries, is kept."""
        if not function.node.try_find_child("Undelivered"):
            aws_lambda.EventInvokeConfig(
                function,
                "Undelivered",
                function=function.function,
                on_failure=SqsDestination(self.undelivered),
                retry_attempts=2 if attempts else 0,
                max_event_age=STALE,
            )
        return aws_events_targets.LambdaFunction(
            function.function,
            dead_letter_queue=self.undelivered,
            retry_attempts=attempts,
            max_event_age=STALE,
        )
