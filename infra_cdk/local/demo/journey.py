"""The way of a few photos through the product: upload, caption, approval, schedule, publication, proof."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from infra_cdk.local.demo.client import TYPES, DemoError, Document, Person, send_file
from infra_cdk.local.demo.proof import NETWORKS, told

INGEST_TIMEOUT_S = 90.0
PUBLISH_TIMEOUT_S = 90.0
POLL_S = 0.3  # from one question to the next, whichever item it is about
AHEAD = timedelta(seconds=5)
POST_PERCENT = {"awaiting_approval": 10, "scheduled": 30, "publishing": 60, "published": 100}
LOST = {"failed", "unconfirmed", "partial", "cancelled", "held"}


@dataclass(frozen=True)
class Item:
    """A photo on its way, by its file and its id in the product."""

    photo: Path
    id: str


@dataclass(frozen=True)
class Place:
    """Where posts come out: the account, its network's own server, and what was published there before."""

    account: Document
    server: str
    before: set[str]


@dataclass(frozen=True)
class Journey:
    """Who takes part, and where it is told."""

    editor: Person
    owner: Person
    console: Console
    http: httpx.Client

    def upload(self, photos: Sequence[Path]) -> list[Item]:
        """Send every photo straight to storage, by a signed address."""
        return [self._upload_one(photo) for photo in photos]

    def _upload_one(self, photo: Path) -> Item:
        size, kind = photo.stat().st_size, TYPES[photo.suffix.lower()]
        upload = self.editor.post("/media/uploads", {"file_name": photo.name, "content_type": kind, "size": size})
        send_file(self.http, photo, upload)
        self.editor.post(f"/media/{upload['id']}/confirm")
        self.console.print(f"  {escape(photo.name)}: {size:,} bytes of {kind}, as media item {upload['id']}")
        return Item(photo, upload["id"])

    def ingest(self, items: Sequence[Item]) -> dict[str, Document]:
        """Follow every photo until its caption waits for a person; returns the media items by id."""

        # 70 % is the review; the rest is a person's part.
        return self._follow(items, self._look, lambda media: media["state"] == "in_review", INGEST_TIMEOUT_S, total=70)

    def _look(self, item: Item) -> tuple[Document, int, str]:
        media = self.editor.get(f"/media/{item.id}")
        if media["state"] in {"refused", "rejected", "expired", "deleted"}:
            refusal = media.get("refusal") or {}
            raise DemoError(f"{item.photo.name} is {media['state']}: {refusal.get('detail', 'no reason given')}")
        return media, media["percent"], "in review" if media["state"] == "in_review" else media["stage"]

    def review(self, items: Sequence[Item], media: Mapping[str, Document]) -> None:
        """Show every caption and approve it, as the editor."""
        for item in items:
            caption = media[item.id]["caption"]
            if caption is None:
                wish = media[item.id].get("caption_request") or {}
                raise DemoError(f"{item.photo.name} has no caption: {wish.get('detail') or wish.get('state')}")
            self.console.print(f"  [bold]{escape(item.photo.name)}[/]: {escape(caption['rendered'])}")
            self.console.print(f"    alt text: {escape(caption['alt_text'])} · written by {caption['model']}")
            decided = self.editor.post(f"/media/{item.id}/review/approve", {"caption_version": caption["version"]})
            self.console.print(f"    decision: {decided['state']} by {escape(str(decided['decided_by_name']))}")
        # The decision is a row; the workflow that waited for it wakes up and notes it on the media item.
        self._follow(items, self._look, lambda media: media["state"] == "approved", INGEST_TIMEOUT_S, total=100)

    def accounts(self, networks: Iterable[str]) -> list[Document]:
        """Return the tenant's account on each network, the first where it has several."""
        found = {each["network"]: each for each in reversed(self.editor.get("/accounts")["items"])}
        if missing := [name for name in networks if name not in found]:
            raise DemoError(
                f"acme has no {missing[0]} account: `make up` connects it; end the stack and start it again"
            )
        return [found[name] for name in networks]

    def schedule(
        self, items: Sequence[Item], media: Mapping[str, Document], accounts: Sequence[Document]
    ) -> list[Item]:
        """Make a post of every photo for a moment from now; returns the photos with the ids of their posts."""
        self.editor.get("/posts", limit=1)  # a function's first call takes seconds, and the time is set now
        due = (datetime.now(UTC) + AHEAD).isoformat()
        posts = []
        for item in items:
            post = self.editor.post(
                "/posts",
                {
                    "text": media[item.id]["caption"]["rendered"],
                    "media": [{"id": item.id}],
                    "targets": [{"account_id": account["id"]} for account in accounts],
                    "publish_at": due,
                },
            )
            names = " and ".join(escape(account["remote_name"]) for account in accounts)
            told = f"  {escape(item.photo.name)}: post {post['id']}, due {post['due_at']}, to {names}"
            if post["approval"]["required"] and not post["approval"]["approved"]:
                self.owner.post(f"/posts/{post['id']}/approve", {"content_hash": post["content_hash"]})
                told += f", approved by {self.owner.email}"
            self.console.print(told)
            posts.append(Item(item.photo, post["id"]))
        return posts

    def publish(self, posts: Sequence[Item]) -> dict[str, Document]:
        """Follow every post until it is out; returns the posts by id."""

        def step(item: Item) -> tuple[Document, int, str]:
            post = self.editor.get(f"/posts/{item.id}")
            if post["state"] in LOST:
                problems = [target["problem"]["detail"] for target in post["targets"] if target["problem"]]
                raise DemoError(
                    f"the post of {item.photo.name} is {post['state']}: {'; '.join(problems) or 'no reason'}"
                )
            return post, POST_PERCENT.get(post["state"], 50), post["state"].replace("_", " ")

        return self._follow(posts, step, lambda post: post["state"] == "published", PUBLISH_TIMEOUT_S, total=100)

    def listed(self, account: Document, server: str) -> set[str]:
        """Ask the network itself for the ids of all that the account has published."""
        return NETWORKS[account["network"]].listed(self.http, server, account["remote_account"])

    def prove(self, posts: Sequence[Item], published: Mapping[str, Document], place: Place) -> None:
        """Ask the network itself for every post and its picture, and whether there is one of each."""
        name = place.account["network"]
        ordered = []
        for item in posts:
            targets = published[item.id]["targets"]
            remote_id = next(each["receipt"]["remote_id"] for each in targets if each["network"] == name)
            link, picture = NETWORKS[name].shown(self.http, place.server, remote_id)
            self.console.print(f"  {escape(item.photo.name)}: {escape(remote_id)}\n    {escape(link)}")
            self.console.print(f"    {escape(picture)} ({len(told(self.http, picture).content):,} bytes)")
            ordered.append(remote_id)
        new = self.listed(place.account, place.server) - place.before
        if sorted(new) != sorted(ordered):
            raise DemoError(f"{name} shows {len(new)} new posts where {len(ordered)} were ordered: {', '.join(new)}")
        self.console.print(f"  {len(new)} new posts are there, each of them once.")

    def _follow(
        self,
        items: Sequence[Item],
        step: Callable[[Item], tuple[Document, int, str]],
        is_done: Callable[[Document], bool],
        timeout: float,
        *,
        total: int,
    ) -> dict[str, Document]:
        """Poll every item until all are done, a bar for each."""
        columns = (TextColumn("  {task.description:<14}"), BarColumn(30), TextColumn("{task.fields[stage]:<18}"))
        done: dict[str, Document] = {}
        deadline = time.monotonic() + timeout
        with Progress(*columns, TimeElapsedColumn(), console=self.console) as progress:
            bars: dict[str, TaskID] = {
                item.id: progress.add_task(escape(item.photo.name), total=total, stage="") for item in items
            }
            while len(done) < len(items):
                if time.monotonic() > deadline:
                    late = ", ".join(item.photo.name for item in items if item.id not in done)
                    raise DemoError(f"not finished after {timeout:.0f} s: {late}")
                for item in [item for item in items if item.id not in done]:
                    document, percent, stage = step(item)
                    progress.update(bars[item.id], completed=min(percent, total), stage=stage)
                    if is_done(document):
                        progress.stop_task(bars[item.id])
                        done[item.id] = document
                    time.sleep(POLL_S)
        return done
