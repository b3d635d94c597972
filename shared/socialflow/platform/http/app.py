"""The application of an HTTP function: routes in, answers and problem documents out, never a bare 500."""

import json
import re
import time
from collections.abc import Callable
from typing import Any

import psycopg
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError, ServiceError
from aws_lambda_powertools.event_handler.middlewares.openapi_validation import OpenAPIResponseValidationMiddleware
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError, ResponseValidationError

from socialflow.errors import MethodNotAllowed, NotFound, Refusal, Unavailable
from socialflow.platform import settings
from socialflow.platform.http import problems, turns
from socialflow.platform.http.access import Access, declared
from socialflow.platform.http.event import sound
from socialflow.platform.http.guard import Door, Guard, RequestReader, nothing_at
from socialflow.platform.http.refusals import Bug
from socialflow.platform.observability import logger

SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
}
Handler = Callable[[dict[str, Any], Any], dict[str, Any]]

_BODILESS = frozenset({204, 304})
_PARAMETER = re.compile(r"<(\w+)>")


class Api(APIGatewayHttpResolver):
    """Powertools' resolver, with the guard in front and every exit a problem document."""

    def __init__(self, door: Door | None) -> None:
        """Make an application whose people come in by `door`; without one, every route is public."""
        super().__init__(debug=False, serializer=_serialize)
        self.door = door
        self.access: dict[tuple[str, str], Access] = {}
        self.functions: dict[tuple[str, str], Callable[..., Any]] = {}
        self.request_id = ""
        self._paths: list[tuple[str, re.Pattern[str]]] = []
        # In this order: Powertools' own switch would put its request validator before the guard.
        validated = OpenAPIResponseValidationMiddleware(has_response_validation_error=True)
        self.use(middlewares=[Guard(), RequestReader(), validated])
        self._answer_refusals()

    def route(self, rule: str, method: Any, *args: Any, **kwargs: Any) -> Callable[[Any], Any]:
        """Register a route; it must say what it asks of its caller."""
        register = super().route(rule, method, *args, **kwargs)

        def checked(function: Any) -> Any:
            access = declared(function)
            if access.signed_in and self.door is None:
                raise TypeError(f"{rule} asks for a signed-in user: give api() a door")
            methods = [method] if isinstance(method, str) else method
            for name in methods:
                self.functions[name.upper(), _PARAMETER.sub(r"{\1}", rule)] = function
                self.access[name.upper(), _PARAMETER.sub(r"{\1}", rule)] = access
                self._paths.append((name.upper(), re.compile(_PARAMETER.sub("[^/]+", re.escape(rule)))))
            return register(function)

        return checked

    def nothing_at(self, path: str) -> NotFound | MethodNotAllowed:
        """Return the refusal of a path (or of its method) that no route has."""
        return nothing_at(self.methods_at(path))

    def methods_at(self, path: str) -> list[str]:
        """Return the methods that a path takes here."""
        return [method for method, pattern in self._paths if pattern.fullmatch(path)]

    def answer(self, event: dict[str, Any], context: Any, needs: tuple[type[settings.Settings], ...]) -> dict[str, Any]:
        """Answer a sound event of the HTTP API; whatever happens, with a document."""
        try:
            settings.require((settings.CommonSettings, *needs))
            return self.resolve(event, context)
        except Exception:  # noqa: BLE001 # the last net: the gateway's own 500 is no problem document
            logger.exception("The request failed outside its route")
            refused = problems.response(_bug(), self.request_id)
            return {
                "statusCode": refused.status_code,
                "body": refused.body,
                "isBase64Encoded": False,
                "headers": refused.headers,
            }

    def _answer_refusals(self) -> None:
        # Looked up along the exception's own line of classes: each that Powertools raises needs its entry,
        # or the last one would make a 500 of it.
        self.exception_handler(Refusal)(self._refuse)
        self.exception_handler(RequestValidationError)(self._refuse_request)
        self.exception_handler(ResponseValidationError)(self._misshapen)
        self.exception_handler(NotFoundError)(lambda _: self._refuse(nothing_at([])))
        self.exception_handler(ServiceError)(self._own_up)
        self.exception_handler(psycopg.OperationalError)(self._database_lost)
        self.exception_handler(Exception)(self._own_up)

    def _refuse(self, refusal: Refusal) -> Response[str]:
        if refusal.status >= 500:  # the caller can do nothing about it, we must
            logger.error("Not served", code=refusal.code, status=refusal.status, exc_info=refusal)
        else:
            logger.info("Refused", code=refusal.code, status=refusal.status)
        return problems.response(refusal, self.request_id)

    def _refuse_request(self, error: RequestValidationError) -> Response[str]:
        return self._refuse(problems.of_validation(error.errors(), self.context.get("body")))

    def _database_lost(self, _: psycopg.OperationalError) -> Response[str]:
        logger.exception("The database was lost in the middle of a request")
        detail = "The database was lost on the way. Read it again: the change may have been made."
        return problems.response(Unavailable(detail, retry_after=2), self.request_id)

    def _misshapen(self, error: ResponseValidationError) -> Response[str]:
        wrong = [{"loc": list(one["loc"]), "type": one["type"]} for one in error.errors()]
        logger.exception("The answer has not the shape that its route declares", exc_info=error, fields=wrong)
        return problems.response(_bug(), self.request_id)

    def _own_up(self, error: Exception) -> Response[str]:
        logger.exception("The request failed", exc_info=error)
        return problems.response(_bug(), self.request_id)


def api(door: Door | None = None) -> Api:
    """Return a function's application; `door` is `socialflow.identity.door`, or a fake of it."""
    return Api(door)


def entry(app: Api, *needs: type[settings.Settings]) -> Handler:
    """Return the Lambda handler of an application whose function is told `needs`."""

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        started = time.monotonic()
        request = sound(event)
        app.request_id = request.request_id
        logger.clear_state()
        logger.append_keys(request_id=request.request_id)
        turns.forget()
        answer = app.answer(request.event, context, needs)
        own = {**turns.headers(), "X-Request-Id": request.request_id}
        answer["headers"] = {**SECURITY_HEADERS, **answer.get("headers", {}), **own}
        if request.head or answer["statusCode"] in _BODILESS:
            answer["body"] = ""
        if answer["statusCode"] in _BODILESS:
            answer["headers"].pop("Content-Type", None)
        logger.info("Answered", status=answer["statusCode"], ms=round((time.monotonic() - started) * 1000))
        return answer

    return handler


def _bug() -> Bug:
    return Bug("It is our fault, and logged under the request_id. Try again later.")


def _serialize(body: Any) -> str:
    return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
