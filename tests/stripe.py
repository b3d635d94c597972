"""A Stripe on loopback: the independent localstripe, in a process and an environment of its own.

localstripe has customers, prices (as plans), cards, subscriptions, invoices and signed webhooks. It has no checkout and
no portal, and it tells of no updated subscription and of no recurring payment that failed: those messages are signed
here, with Stripe's own code, about what localstripe really has. So a small door stands before it: it answers for the
two kinds of page, and `Stripe.pay` does what a person does on the first of them, by localstripe's own API. Messages
are kept as localstripe sent and signed them, until a test delivers them.
"""

import itertools
import json
import queue
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx
from stripe import WebhookSignature

from tests import doors

PYTHON = Path(__file__).parents[1] / ".tools" / "stripe" / "bin" / "python"
KEY = "sk_test_1234567"
SECRET = "whsec_present"
GOOD_CARD, FAILING_CARD = "4242424242424242", "4000000000000341"
PRICES = {
    "price_pro": ("month", "2000"),
    "price_pro_yearly": ("year", "20000"),
    "price_business": ("month", "9000"),
    "price_else": ("month", "9000"),
}
_numbers = itertools.count(1)
# On loopback alone, and without the file that localstripe keeps its rows in.
_RUN = """
import sys
from aiohttp import web
from localstripe import resources, server
resources.Store.dump_to_disk = lambda self: None
web.run_app(server.app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
"""


@dataclass(frozen=True)
class Message:
    """A message as it came over the wire."""

    raw: bytes
    signature: str

    @property
    def kind(self) -> str:
        """The event's type."""
        return str(json.loads(self.raw)["type"])


@dataclass
class Stripe:
    """The peer, and what a person or Stripe itself does there."""

    client: httpx.Client
    url: str = ""
    messages: "queue.Queue[Message]" = field(default_factory=queue.Queue)
    seen: list[tuple[str, str, dict[str, str], str]] = field(default_factory=list)
    sessions: dict[str, dict[str, str]] = field(default_factory=dict)
    errands: list[Callable[[], object]] = field(default_factory=list)
    receiver: str = ""
    down: bool = False

    def ask(self, method: str, path: str, **form: str) -> dict[str, Any]:
        """Ask localstripe itself."""
        answer = self.client.request(method, path, data=form or None)
        assert answer.is_success, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def reset(self) -> None:
        """Forget everything but what is sold."""
        self.client.delete("/_config/data")
        self.send_to(self.receiver)
        for price, (interval, amount) in PRICES.items():
            about = {"id": price, "amount": amount, "currency": "usd", "interval": interval, "product[name]": price}
            self.ask("POST", "/v1/plans", **about)
        self.seen.clear()
        self.sessions.clear()
        self.errands.clear()
        self.down = False
        while not self.messages.empty():
            self.messages.get()

    def send_to(self, url: str) -> None:
        """Have messages sent to an endpoint from now on, and to no other."""
        assert self.client.post("/_config/webhooks/ours", json={"url": url, "secret": SECRET}).is_success

    def card(self, customer: str, number: str) -> None:
        """Give a customer a card that is charged from now on."""
        about = {"card[number]": number, "card[exp_month]": "12", "card[exp_year]": "2060", "card[cvc]": "123"}
        method = self.ask("POST", "/v1/payment_methods", type="card", **about)["id"]
        self.ask("POST", f"/v1/payment_methods/{method}/attach", customer=customer)
        self.ask("POST", f"/v1/customers/{customer}", **{"invoice_settings[default_payment_method]": method})

    def subscribe(self, customer: str, price: str, **metadata: str) -> str:
        """Subscribe a customer who has a card."""
        about = {"items[0][plan]": price, **{f"metadata[{name}]": value for name, value in metadata.items()}}
        return str(self.ask("POST", "/v1/subscriptions", customer=customer, **about)["id"])

    def pay(self, page: str) -> str:
        """Do on a checkout's page what a person does; return the subscription."""
        session = self.sessions[page]
        self.card(session["customer"], GOOD_CARD)
        told = {"tenant": session["subscription_data[metadata][tenant]"]}
        subscription = self.subscribe(session["customer"], session["line_items[0][price]"], **told)
        self.messages.put(signed("checkout.session.completed", {"customer": session["customer"], "id": "cs_1"}))
        return subscription

    def change(self, subscription: str, price: str) -> Message:
        """Put a subscription on another price; return the message that Stripe would send of it."""
        self.ask("POST", f"/v1/subscriptions/{subscription}", **{"items[0][plan]": price})
        found = self.ask("GET", f"/v1/subscriptions/{subscription}")
        return signed("customer.subscription.updated", {"customer": found["customer"], "id": subscription})

    def next(self, kind: str, about: str = "") -> Message:
        """Return the next message of a kind that names what it is about, in the order in which localstripe sends.

        It sends a second late: what another test has caused may still come.
        """
        while True:
            message = self.messages.get(timeout=20)
            if message.kind == kind and about.encode() in message.raw:
                return message


def signed(kind: str, subject: dict[str, Any], *, secret: str = SECRET) -> Message:
    """Return a message that Stripe might send, signed with Stripe's own code."""
    event = {"id": f"evt_own_{next(_numbers)}", "object": "event", "type": kind}
    raw = json.dumps({**event, "data": {"object": subject}})
    return Message(raw.encode(), WebhookSignature.generate_signature_header(raw, secret))


@contextmanager
def running() -> Iterator[Stripe]:
    """Run localstripe with its door and a receiver of its messages."""
    assert PYTHON.exists(), "The tests' Stripe is not installed: run make tools"
    port = _free_port()
    child = subprocess.Popen([str(PYTHON), "-c", _RUN, str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    upstream = httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {KEY}"})
    stripe = Stripe(upstream)
    try:
        _await(port, child)
        with doors.opened(_door(stripe)) as door, doors.opened(_receiver(stripe)) as receiver:
            stripe.url = door.url
            stripe.receiver = receiver.url
            yield stripe
    finally:
        upstream.close()
        child.terminate()
        child.wait()


def _door(stripe: Stripe) -> type[BaseHTTPRequestHandler]:
    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self._pass()

        def do_GET(self) -> None:
            self._pass()

        def do_DELETE(self) -> None:
            self._pass()

        def _pass(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            stripe.seen.append((self.command, self.path, headers, body))
            if stripe.down:
                self._answer(500, {"error": {"type": "api_error", "message": "down"}})
                return
            if self.path in ("/v1/checkout/sessions", "/v1/billing_portal/sessions"):
                self._answer(200, _page(stripe, self.path, body))
                return
            sent = {name: value for name, value in headers.items() if name in ("authorization", "content-type")}
            answer = stripe.client.request(self.command, self.path, content=body, headers=sent)
            while stripe.errands:  # after the question was answered, before the answer arrives
                stripe.errands.pop(0)()
            self._answer(answer.status_code, answer.json())

        def _answer(self, status: int, document: object) -> None:
            raw = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Door


def _page(stripe: Stripe, path: str, body: str) -> dict[str, str]:
    asked = dict(httpx.QueryParams(body).items())
    kind = path.split("/")[2]
    page = f"https://pay.test/{kind}/{len(stripe.sessions) + 1}"
    stripe.sessions[page] = asked
    return {"id": f"{kind}_1", "object": f"{kind}.session", "url": page}


def _receiver(stripe: Stripe) -> type[BaseHTTPRequestHandler]:
    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            stripe.messages.put(Message(raw, self.headers["Stripe-Signature"]))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Receiver


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(port: int, child: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        assert child.poll() is None, "localstripe has ended"
        with socket.socket() as probe:
            probe.settimeout(0.2)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        threading.Event().wait(0.05)
    raise AssertionError("localstripe does not answer")
