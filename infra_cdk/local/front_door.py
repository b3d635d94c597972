"""The one address of the product on this machine, as CloudFront is on AWS.

It rewrites the path to the engine's and nothing else: bodies, queries and escapes pass as they came, in both
directions, as a stream. What is not the landing page goes to the API, which also says what it does not know.
"""

import html
import json
import re
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from infra_cdk.stages import LOCAL
from socialflow.errors import Unavailable
from socialflow.platform.http import problems

# Of one connection only (RFC 9110, 7.6.1); what `Connection` itself names is added to them.
HOP_BY_HOP = {
    b"connection",
    b"keep-alive",
    b"proxy-authenticate",
    b"proxy-authorization",
    b"proxy-connection",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
}
# The longest call of the API takes 29 s on AWS; after that the gateway gives up there too.
TIMEOUT = httpx.Timeout(35.0, connect=2.0)
RETRY_AFTER_S = 2
BUSY = "The local engine has as many calls under way as it takes. Try again in some seconds."
# The engine refuses what is beyond a function's reserved concurrency, so the rest waits here for its turn.
# A client that hangs up frees its place here before its call has ended there, so that a refusal still happens.
AT_ONCE = LOCAL.concurrency.api or 1
Headers = list[tuple[bytes, bytes]]


def end_to_end(headers: Headers, *, without: frozenset[bytes] = frozenset()) -> Headers:
    """The headers that are meant for the other end."""
    named = {
        name.strip().lower() for key, value in headers if key.lower() == b"connection" for name in value.split(b",")
    }
    return [(key, value) for key, value in headers if key.lower() not in HOP_BY_HOP | named | without]


def silent(error: httpx.HTTPError) -> str:
    """What to tell of an engine that does not answer."""
    if isinstance(error, httpx.TimeoutException):
        return "The local engine did not answer in time. Try again."
    return "The local engine does not answer. Try again in some seconds, or start the stack with `make up`."


def is_throttle(answer: httpx.Response) -> bool:
    """Whether the engine itself has refused the call: the API's own refusals are problem documents."""
    kind = answer.headers.get("content-type", "").split(";")[0].strip()
    return answer.status_code == httpx.codes.TOO_MANY_REQUESTS and kind != problems.MEDIA_TYPE


def unavailable(detail: str, request_id: str) -> Response:
    """The problem document for a call that did not come through."""
    refusal = Unavailable(detail, retry_after=RETRY_AFTER_S)
    return Response(
        json.dumps(problems.document(refusal, request_id)),
        status_code=refusal.status,
        media_type=problems.MEDIA_TYPE,
        headers={"Retry-After": str(RETRY_AFTER_S), "X-Request-Id": request_id},
    )


def landing_page(addresses: Mapping[str, str]) -> str:
    """What is where, for a person who opens the address in a browser."""
    rows = "".join(
        f'<dt>{html.escape(name)}</dt><dd><a href="{html.escape(url)}">{html.escape(url)}</a></dd>'
        for name, url in addresses.items()
    )
    return f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>SocialFlow on this machine</title>
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:42rem;margin:4rem auto;padding:0 1rem}}
dt{{font-weight:600;margin-top:.8rem}}dd{{margin:0}}code{{background:#eee;padding:.1rem .3rem}}</style>
<h1>SocialFlow runs on this machine</h1>
<p>This address is the API: it answers below <code>/v1</code>, to requests with a token of
<code>make token WHO=editor@acme.test</code> and an <code>X-Tenant-Id: acme</code>.
<code>make demo</code> takes three photos from upload to published posts.</p>
<dl>{rows}</dl></html>"""


class Forward:
    """Hands a request of any method to the engine and streams the answer back."""

    def __init__(self, api: str) -> None:
        """Take the engine's address of the API's stage."""
        self.upstream = httpx.URL(api.rstrip("/"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        request = Request(scope, receive)
        client: httpx.AsyncClient = request.app.state.client
        try:
            answer = await client.send(self._outgoing(request), stream=True)
        except ClientDisconnect:
            return
        except httpx.HTTPError as error:
            await unavailable(silent(error), _request_id(request))(scope, receive, send)
            return
        try:
            if is_throttle(answer):
                await unavailable(BUSY, _request_id(request))(scope, receive, send)
                return
            response = StreamingResponse(answer.aiter_raw(), status_code=answer.status_code)
            response.raw_headers = end_to_end(answer.headers.raw)
            await response(scope, receive, send)
        finally:
            await answer.aclose()

    def _outgoing(self, request: Request) -> httpx.Request:
        query: bytes = request.scope["query_string"]
        target: bytes = self.upstream.raw_path + request.scope["raw_path"] + (b"?" + query if query else b"")
        has_body = "content-length" in request.headers or "transfer-encoding" in request.headers
        return httpx.Request(
            request.method,
            self.upstream,
            headers=[(b"host", self.upstream.netloc), *end_to_end(request.headers.raw, without=frozenset({b"host"}))],
            content=request.stream() if has_body else None,
            # As it came: a parsed and rebuilt URL would lose odd escapes.
            extensions={"target": target, "timeout": TIMEOUT.as_dict()},
        )


def _request_id(request: Request) -> str:
    given = request.headers.get("x-request-id", "")
    return given if re.fullmatch(r"[\w.-]{1,128}", given) else str(uuid.uuid4())


def build(api: str, addresses: Mapping[str, str]) -> Starlette:
    """The front door to the API at `api`, the engine's address of its stage."""
    page = landing_page(addresses)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        limits = httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE)
        async with httpx.AsyncClient(timeout=TIMEOUT, limits=limits, trust_env=False) as client:
            app.state.client = client
            yield

    def home(_request: Request) -> Response:
        return HTMLResponse(page)

    return Starlette(routes=[Route("/", home, methods=["GET"]), Route("/{path:path}", Forward(api))], lifespan=lifespan)
