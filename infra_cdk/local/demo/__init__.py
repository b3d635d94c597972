"""`make demo`: a folder of photos through the whole product, from outside, by HTTP alone."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from infra_cdk.local.demo.client import DemoError, Person, open_client, photos_in
from infra_cdk.local.demo.journey import Journey, Place
from infra_cdk.local.demo.sheet import draw

TENANT, EDITOR, OWNER = "acme", "editor@acme.test", "owner@acme.test"


def run(addresses: Mapping[str, Any], photos: Path, output: Path) -> int:
    """Take the photos all the way and tell of it; 0 if every network shows each of them once in the end."""
    console = Console(highlight=False, soft_wrap=True)
    began = time.monotonic()
    try:
        _take(console, dict(addresses), photos, output)
    except DemoError as error:
        console.print(f"demo: {error}", style="red", markup=False)
        return 1
    console.print(f"Done in {time.monotonic() - began:.0f} s.")
    return 0


def _take(console: Console, addresses: dict[str, Any], photos: Path, output: Path) -> None:
    if not addresses:
        raise DemoError("the stack does not run: start it with `make up` (or `make run` in another window)")
    with open_client() as http:
        editor, owner = (Person.sign_in(http, addresses, email, TENANT) for email in (EDITOR, OWNER))
        journey = Journey(editor, owner, console, http)
        console.print("[bold]1. Upload[/] — straight to storage, by a signed address")
        items = journey.upload(photos_in(photos))
        console.print("[bold]2. Processing and captions[/]")
        media = journey.ingest(items)
        console.print("[bold]3. Review[/] — a person decides")
        journey.review(items, media)
        console.print("[bold]4. Schedule[/]")
        servers: dict[str, str] = addresses["networks"]
        accounts = journey.accounts(servers)
        places = [
            Place(each, servers[each["network"]], journey.listed(each, servers[each["network"]])) for each in accounts
        ]
        posts = journey.schedule(items, media, accounts)
        console.print("[bold]5. Publish[/]")
        published = journey.publish(posts)
        console.print("[bold]6. On the networks[/] — as their servers tell it themselves")
        for place in places:
            journey.prove(posts, published, place)
        sheet = draw(http, [media[item.id] for item in items], output / "contact-sheet.jpg")
        console.print(f"Contact sheet of all derivatives: {sheet}")
