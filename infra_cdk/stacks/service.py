"""The stateless stack: functions, API, workflows, bus, queues and schedules. Any deployment may make it anew.

Alarms, the WAF in front of the API and the pipeline that deploys are stacks of their own, to come beside it.
"""

from typing import Any

from aws_cdk import CfnOutput, Stack, aws_events
from aws_cdk.aws_apigatewayv2 import HttpMethod
from constructs import Construct

from infra_cdk.constructs.http_api import Api
from infra_cdk.constructs.layers import Layers
from infra_cdk.constructs.messaging import Messaging
from infra_cdk.constructs.service_function import ServiceFunction, Size
from infra_cdk.constructs.workflow import Workflow, machine_arn
from infra_cdk.stacks.storage import StorageStack
from infra_cdk.stages import Stage

API = Size(memory=1_024, timeout=20)
# A file of 500 posts is one request, as long as the gateway waits.
POSTS = Size(memory=1_024, timeout=29)
WORKER = Size(memory=512, timeout=30)
RELAY = Size(memory=512, timeout=60)
# One vCPU comes with 1,769 MB. A JPEG of 100 megapixels takes 145 MB of them, an AVIF of 48, the most of all, 620.
MEDIA = Size(memory=1_769, timeout=120)
# A video is read by ranges; the frames of an 8K one take the most of it.
VIDEO = Size(memory=1_769, timeout=300)
# A large video is read once, as fast as the bucket sends it.
HASHING = Size(memory=512, timeout=900)
# Two vCPUs: more of them would cost as much more as they are quicker.
TRANSCODING = Size(memory=3_538, timeout=900)
CAPTION = Size(memory=1_024, timeout=120)
# Uploads to a network, videos too: each call in it has a deadline of its own.
PREPARE = Size(memory=1_024, timeout=600, disk=10_240)
PUBLISH = Size(memory=512, timeout=60)
# A request to the bucket for each upload that nobody has told of.
SWEEP = Size(memory=512, timeout=900)
MIGRATION = Size(memory=512, timeout=900)
# Each tenant's subscriptions are asked for and changed at Stripe, one after the other.
SETTLEMENT = Size(memory=512, timeout=300)
VERIFICATION = Size(memory=512, timeout=900)
# An archive of everything is read and written by one call; parts of it are all that is in memory.
ARCHIVE = Size(memory=1_769, timeout=900)
# How long a network may take to show what a call that we gave up on has done, in seconds.
SETTLING = 60
# For so long an attempt is its function's own, in seconds.
LEASE = PUBLISH.timeout + SETTLING

API_FUNCTIONS = (
    "api_system",
    "api_me",
    "api_media",
    "api_uploads",
    "api_renditions",
    "api_reviews",
    "api_posts",
    "api_accounts",
    "api_connections",
    "api_takedowns",
    "api_networks",
    "api_keys",
    "api_tenants",
    "api_clerk_webhook",
    "api_team",
    "api_support",
)
# What a waiting execution has to be told; of a deleted media item, that it waits for nothing.
DECISIONS = ("media.deleted", "review.decided", "post.approved", "post.rejected", "post.cancelled", "post.rescheduled")
ENDS_AND_RETURNS = ("tenant.deleted", "tenant.restored")
BEGINNINGS = (
    "media.uploaded",
    "rendition.requested",
    "caption.requested",
    "post.scheduled",
    "post.rescheduled",
    "post.approved",
    "post.reported",
)
# What has come to its review, or to its end, leaves room for the next.
ENDINGS = ("review.requested", "media.refused", "media.deleted", "rendition.ready", "rendition.refused")
# Batches of ten at once: of files that have come (each is one row), and of what wakes the reconciler (it looks at all).
ARRIVALS, RECONCILERS = 4, 2
CAPTIONER = "task_write_caption"
INGEST = ("task_process_media", "task_process_video", CAPTIONER, "task_await_review", "task_settle_review")
# The start of these takes seconds, all but a little of it LiteLLM's import.
SNAPSHOTS = (CAPTIONER, "task_embed_media")
MUTATION = "task_publish_target"
TARGETS = ("task_prepare_target", MUTATION, "task_confirm_target")
# The states that wait on a token. The local engine forgets a call of theirs that it refuses.
WAITS = ("task_await_review", "task_await_approval")
PUBLISHING = ("task_open_post", "task_await_approval", *TARGETS, "task_settle_post")
# What the reconciler starts, and hears of when it fails.
STARTED = {
    "ingest": "ingest_media",
    "publish": "publish_post",
    "export": "export_tenant",
    "render": "render_media",
    "caption": "write_caption",
    "hashing": "hash_video",
    "embedding": "embed_media",
}
# What makes and changes schemas does so as the owner of the database.
MIGRATING = ("task_migrate_registry", "task_migrate_tenants")
LISTING = ("task_list_tenants", "task_report_migration")


class ServiceStack(Stack):
    """Everything that runs."""

    def __init__(self, scope: Construct, stage: Stage, storage: StorageStack, **options: Any) -> None:
        """One for each stage, on the storage of the same stage."""
        super().__init__(
            scope,
            # The same in every stage, as many names inside are made from it.
            "Service",
            stack_name=stage.service_stack,
            description="SocialFlow: functions, API and workflows",
            **options,
        )
        self.stage = stage
        self.storage = storage
        self.layers = Layers(self, "Layers", stage)
        self.messaging = Messaging(self, "Messaging", stage)
        self.doorbell = self.messaging.doorbell(RELAY.timeout)
        self.started = {name: machine_arn(self, stage, workflow) for name, workflow in STARTED.items()}
        self.ingest_arn, self.publish_arn = self.started["ingest"], self.started["publish"]
        self.tenant_owner = self._owner("ops_tenant", WORKER)
        api = self._api()
        self._consumers()
        ingest = self._ingest_tasks()
        workflows = {
            "ingest_media": ingest,
            "write_caption": {CAPTIONER: ingest[CAPTIONER]},
            "publish_post": self._publish_tasks(),
            "migrate_tenants": self._migration_tasks(),
            "export_tenant": self._export_tasks(),
            "render_media": self._render_tasks(),
            "hash_video": self._hash_tasks(),
            "embed_media": self._embed_tasks(),
        }
        for name, tasks in workflows.items():
            Workflow(self, name, stage, tasks)
        self._operations()
        outputs = {
            "ApiId": api.http.api_id,
            "ApiUrl": api.http.api_endpoint,
            "BusName": self.messaging.bus.event_bus_name,
            "DoorbellQueueUrl": self.doorbell.queue_url,
            "IngestStateMachine": self.ingest_arn,
            "PublishStateMachine": self.publish_arn,
            "MigrateStateMachine": machine_arn(self, stage, "migrate_tenants"),
            "ExportStateMachine": self.started["export"],
            "RenderStateMachine": self.started["render"],
            "CaptionStateMachine": self.started["caption"],
            "HashStateMachine": self.started["hashing"],
            "EmbedStateMachine": self.started["embedding"],
        }
        for name, value in outputs.items():
            CfnOutput(self, name, value=value)

    def _function(self, name: str, size: Size = WORKER, **options: Any) -> ServiceFunction:
        """A function that uses the database, as the application; the operations alone are made otherwise."""
        made = ServiceFunction(self, name, stage=self.stage, layers=self.layers, size=size, **options)
        return made.uses_database(self.storage.database_secret)

    def _owner(self, name: str, size: Size, **options: Any) -> ServiceFunction:
        """A function that makes, changes and ends tenants' schemas, as the database's owner."""
        made = ServiceFunction(self, name, stage=self.stage, layers=self.layers, size=size, **options)
        return made.owns_database(self.storage.owner_secret)

    def _api(self) -> Api:
        stage, store = self.stage, self.storage
        sizes = {"api_posts": POSTS}
        reserved = stage.concurrency.api
        named = {name: self._function(name, sizes.get(name, API), reserved=reserved) for name in API_FUNCTIONS}
        for name, function in named.items():
            if name != "api_system":
                function.signs_in()
            if name not in {"api_system", "api_me", "api_keys"}:
                function.rings(self.doorbell)
        named["api_media"].reads_media(store.media)
        named["api_uploads"].finds_media(store.media).writes_media(store.media).collects_parts(store.media)
        named["api_renditions"].reads_media(store.media)
        named["api_reviews"].reads_media(store.media)
        named["api_posts"].times_publishing(LEASE)
        named["api_tenants"].asks_tenant_owner(self.tenant_owner)
        named["api_clerk_webhook"].takes_webhooks_of_clerk(store.clerk_webhook_secret)
        named |= self._billing()
        api = Api(self, "Api", stage, named["api_system"])
        api.route(named["api_system"], ["/v1/health"], HttpMethod.GET)
        api.route(named["api_me"], ["/v1/me", "/v1/me/{proxy+}"])
        api.route(named["api_clerk_webhook"], ["/v1/webhooks/clerk"])
        api.route(named["api_media"], ["/v1/media", "/v1/media/{proxy+}"])
        begun, upload = "/v1/media/uploads", "/v1/media/{media_id}/upload"
        sent = ["/v1/media/{media_id}/confirm", upload, f"{upload}/{{action}}"]
        api.route(named["api_uploads"], [begun, f"{begun}/{{proxy+}}", *sent])
        made = "/v1/media/{media_id}/renditions"
        api.route(named["api_renditions"], [made, f"{made}/{{rendition_id}}", "/v1/media/{media_id}/fit"])
        review = "/v1/media/{media_id}/review"
        api.route(named["api_reviews"], ["/v1/reviews", "/v1/reviews/{proxy+}", review, f"{review}/{{action}}"])
        captions = self._function("api_captions", API, reserved=stage.concurrency.api).signs_in().rings(self.doorbell)
        captions.paces_captions()
        api.route(captions, ["/v1/media/{media_id}/captions", "/v1/media/{media_id}/captions/{proxy+}"])
        search = self._function("api_search", API, reserved=stage.concurrency.api).signs_in().knows_embedder()
        api.route(search, ["/v1/media/{media_id}/related", "/v1/search/{proxy+}"])
        paths = ["/v1/posts", "/v1/posts/{proxy+}", "/v1/calendar", "/v1/queue-slots"]
        api.route(named["api_posts"], [*paths, "/v1/series", "/v1/series/{proxy+}"])
        self._accounts(api, named)
        api.route(named["api_keys"], ["/v1/api-keys", "/v1/api-keys/{proxy+}"])
        api.route(named["api_tenants"], ["/v1/tenant", "/v1/tenants", "/v1/tenants/{proxy+}"])
        # It only reads: no bell.
        audit = self._function("api_audit", API, reserved=stage.concurrency.api).signs_in()
        api.route(audit, ["/v1/audit", "/v1/audit/{proxy+}"])
        ai = self._function("api_ai", API, reserved=stage.concurrency.api).signs_in().knows_models()
        ai.seals_credentials(store.credentials_key).calls_networks()
        api.route(ai, ["/v1/models", "/v1/ai/{proxy+}"])
        api.route(named["api_support"], ["/v1/support-access", "/v1/support-access/{proxy+}"])
        team = ("/v1/members", "/v1/invitations")
        api.route(named["api_team"], [each + rest for each in team for rest in ("", "/{proxy+}")])
        api.route(named["api_plan"], ["/v1/plans", "/v1/plan", "/v1/plan/{proxy+}"])
        api.route(named["api_stripe_webhook"], ["/v1/webhooks/stripe"])
        exports = self._function("api_exports", API, reserved=stage.concurrency.api).signs_in()
        api.route(exports.reads_archives(store.media), ["/v1/exports", "/v1/exports/{proxy+}"])
        return api

    def _accounts(self, api: Api, named: dict[str, ServiceFunction]) -> None:
        """What connects accounts, by what a person pastes or by signing in, or by Late; and deletes at a network."""
        store = self.storage
        connections, takedowns = named["api_connections"], named["api_takedowns"]
        for name in ("api_accounts", "api_networks"):
            named[name].seals_credentials(store.credentials_key).calls_networks()
        for function in (connections, takedowns):
            function.seals_credentials(store.credentials_key).opens_credentials(store.credentials_key)
            function.calls_networks().is_registered(store.network_apps)
        for name in ("api_networks", "api_takedowns"):
            named[name].goes_by_late()
        told = self._function("api_late_webhook", API, reserved=self.stage.concurrency.api).rings(self.doorbell)
        told.opens_credentials(store.credentials_key)
        connections.knows(app_origins=self.stage.cors_origins)
        api.route(named["api_accounts"], ["/v1/accounts", "/v1/accounts/{proxy+}"])
        api.route(connections, ["/v1/connections", "/v1/connections/{proxy+}"])
        api.route(named["api_networks"], ["/v1/networks", "/v1/networks/{proxy+}"])
        api.route(told, ["/v1/webhooks/late/{token}"])
        api.route(takedowns, ["/v1/posts/{post_id}/targets/{target_id}/delete"])

    def _billing(self) -> dict[str, ServiceFunction]:
        """What speaks with Stripe, and with its library."""
        store, reserved = self.storage, self.stage.concurrency.api
        plan = self._function("api_plan", API, reserved=reserved, extra_layers=["billing"])
        plan.signs_in().asks_stripe(store.stripe).knows(app_origins=self.stage.cors_origins)
        webhook = self._function("api_stripe_webhook", API, reserved=reserved, extra_layers=["billing"])
        webhook.asks_stripe(store.stripe).rings(self.doorbell)
        return {"api_plan": plan, "api_stripe_webhook": webhook}

    def _consumers(self) -> None:
        store, messaging = self.storage, self.messaging
        relay = self._function("on_doorbell", RELAY).puts_facts_on(messaging.bus)
        messaging.consume(self.doorbell, relay)
        messaging.ring_each_minute(self.doorbell)

        uploaded = self._function("on_object_created").knows_media(store.media).rings(self.doorbell)
        messaging.on_many_of_aws(
            uploaded,
            aws_events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created"],
                detail={
                    "bucket": {"name": [store.media.bucket.bucket_name]},
                    "object": {"key": [{"wildcard": "tenants/*/media/*/original.*"}]},
                },
            ),
            at_once=ARRIVALS,
        )
        sweep = self._function("cron_sweep_uploads", SWEEP).finds_media(store.media).clears_media(store.media)
        messaging.each_hour(sweep.rings(self.doorbell))
        catching_up = self._function("cron_embed_media", SWEEP).rings(self.doorbell).knows_embedder()
        messaging.each_hour(catching_up)
        recurring = self._function("cron_make_occurrences", SWEEP).rings(self.doorbell)
        messaging.each_hour(recurring.times_publishing(LEASE))
        caring = self._function("cron_check_accounts", SWEEP).rings(self.doorbell).calls_networks()
        caring.seals_credentials(store.credentials_key).opens_credentials(store.credentials_key)
        messaging.each_hour(caring.is_registered(store.network_apps).goes_by_late())
        messaging.on_facts(caring, ["account.disconnected"])
        decided = self._function("on_decision").answers_tokens_of(self.ingest_arn, self.publish_arn)
        messaging.on_facts(decided, DECISIONS)
        messaging.on_facts(self._function("on_media_deleted").erases_media(store.media), ["media.deleted"])
        messaging.each_day(self._function("cron_erase_media", SWEEP).erases_media(store.media))
        invited = self._function("on_user_invited").mails_invitations(store.invitation_secret)
        messaging.on_facts(invited, ["user.invited"])
        settler = self._function("cron_settle_subscriptions", SETTLEMENT, extra_layers=["billing"])
        settler.asks_stripe(store.stripe)
        messaging.each_day(settler)
        messaging.on_facts(settler, ENDS_AND_RETURNS)
        messaging.on_aws(
            self._function("on_execution_failed"),
            aws_events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={
                    "status": ["FAILED", "TIMED_OUT", "ABORTED"],
                    "stateMachineArn": [*self.started.values()],
                },
            ),
        )
        reconciler = self._function("cron_reconcile", RELAY).starts(**self.started)
        messaging.each_minute(reconciler)
        messaging.on_many_facts(reconciler, BEGINNINGS + ENDINGS, at_once=RECONCILERS)

    def _ingest_tasks(self) -> dict[str, ServiceFunction]:
        store = self.storage
        sizes = {
            "task_process_media": (MEDIA, ["media"]),
            "task_process_video": (VIDEO, ["media", "video"]),
            "task_write_caption": (CAPTION, ["ai"]),
        }
        tasks = {}
        for name in INGEST:
            size, extra = sizes.get(name, (WORKER, []))
            reserved, snapshot = self._reserved(name), name in SNAPSHOTS
            made = self._function(name, size, extra_layers=extra, reserved=reserved, snapshot=snapshot)
            tasks[name] = made.rings(self.doorbell)
        for name in ("task_process_media", "task_process_video"):
            tasks[name].finds_media(store.media).writes_media(store.media)
        tasks["task_write_caption"].reads_media(store.media).writes_captions(store.caption_key)
        tasks["task_write_caption"].opens_credentials(store.credentials_key).calls_networks()
        tasks["task_await_review"].answers_tokens_of(self.ingest_arn).knows(review_ttl=self.stage.timing.review_ttl)
        return tasks

    def _render_tasks(self) -> dict[str, ServiceFunction]:
        sizes = {"task_render_image": (MEDIA, "media"), "task_transcode_video": (TRANSCODING, "video")}
        tasks = {}
        for name, (size, layer) in sizes.items():
            made = self._function(name, size, extra_layers=[layer], reserved=self._reserved(name)).rings(self.doorbell)
            tasks[name] = made.finds_media(self.storage.media).writes_media(self.storage.media)
        return tasks

    def _publish_tasks(self) -> dict[str, ServiceFunction]:
        store = self.storage
        sizes = {"task_prepare_target": PREPARE, MUTATION: PUBLISH, "task_confirm_target": PUBLISH}
        tasks = {
            name: self._function(name, sizes.get(name, WORKER), reserved=self._reserved(name)).rings(self.doorbell)
            for name in PUBLISHING
        }
        for name in TARGETS:
            # A session that is used up is renewed by whoever needs it, and sealed again.
            tasks[name].opens_credentials(store.credentials_key).seals_credentials(store.credentials_key)
            tasks[name].calls_networks().goes_by_late().is_registered(store.network_apps)
        tasks["task_prepare_target"].reads_media(store.media)
        for name in ("task_open_post", *TARGETS, "task_settle_post"):
            tasks[name].times_publishing(LEASE)
        tasks["task_await_approval"].answers_tokens_of(self.publish_arn)
        return tasks

    def _reserved(self, task: str) -> int | None:
        """How many of a task may be under way; the workflow calls again what is refused."""
        limits = self.stage.concurrency
        apart = {"task_write_caption": limits.captioning, MUTATION: limits.publishing} | dict.fromkeys(WAITS)
        return apart.get(task, limits.steps)

    def _migration_tasks(self) -> dict[str, ServiceFunction]:
        steps = self.stage.concurrency.steps
        owners = {name: self._owner(name, MIGRATION, reserved=steps) for name in MIGRATING}
        return owners | {name: self._function(name, reserved=steps) for name in LISTING}

    def _export_tasks(self) -> dict[str, ServiceFunction]:
        writer = self._function("task_write_export", ARCHIVE, reserved=self._reserved("task_write_export"))
        writer.finds_media(self.storage.media)
        return {writer.name: writer.writes_archives(self.storage.media)}

    def _hash_tasks(self) -> dict[str, ServiceFunction]:
        reader = self._function("task_hash_video", HASHING, reserved=self._reserved("task_hash_video"))
        return {reader.name: reader.finds_media(self.storage.media).rings(self.doorbell)}

    def _embed_tasks(self) -> dict[str, ServiceFunction]:
        store, name = self.storage, "task_embed_media"
        options = {"extra_layers": ["ai"], "reserved": self._reserved(name), "snapshot": name in SNAPSHOTS}
        maker = self._function(name, CAPTION, **options).rings(self.doorbell)
        maker.reads_media(store.media).makes_vectors(store.caption_key)
        return {name: maker.opens_credentials(store.credentials_key).calls_networks()}

    def _operations(self) -> None:
        """What people and deployments invoke."""
        self._function("ops_wake_everything")
        self._function("ops_suspend").rings(self.doorbell)
        self._function("ops_look")
        self._function("ops_switch")
        self._owner("ops_support", WORKER).rings(self.doorbell)
        self._function("ops_rouse").rings(self.doorbell)
        self._function("ops_verify_audit", VERIFICATION)
        for name in ("ops_migrate", "ops_provision"):
            made = ServiceFunction(self, name, stage=self.stage, layers=self.layers, size=MIGRATION)
            made.uses_database(self.storage.owner_secret)
        importer = ServiceFunction(self, "ops_import_tenant", stage=self.stage, layers=self.layers, size=ARCHIVE)
        importer.uses_database(self.storage.owner_secret).finds_archives(self.storage.media)
        importer.writes_media(self.storage.media)
        purge = self._owner("cron_purge_tenants", MIGRATION).purges_media(self.storage.media)
        self.messaging.each_day(purge)
