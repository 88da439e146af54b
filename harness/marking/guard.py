"""Who may ask: this machine's browser with the token, from our own pages, and nobody else.

A page of another site can make a browser send requests to this machine, and can give its own name
this machine's address. So the host must be ours, the origin of whatever changes something too, and
everything needs the token: first in the address that was printed, then in a cookie.
"""

from __future__ import annotations

import secrets

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
_READING = ("GET", "HEAD")


class Guard:
    """Lets through what may ask, and gives every answer its headers.

    Args:
        app: what is guarded.
        token: the secret.
        port: of the server.
    """

    def __init__(self, app: ASGIApp, *, token: str, port: int) -> None:
        self._app = app
        self._token = token
        self._hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost")}
        # Cookies do not know ports: each server has a name of its own for it.
        self.cookie = f"harness-mark-{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            return  # no lifespan, no websockets

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name for name, _ in message["headers"]}
                added = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]
                missing = [header for header in added if header[0] not in given]
                message = {**message, "headers": [*message["headers"], *missing]}
            await send(message)

        request = Request(scope)
        answer = self._refused(request) or self._entered(request)
        await (answer or self._app)(scope, receive, send_with_headers)

    def _refused(self, request: Request) -> Response | None:
        headers = request.headers
        if headers.getlist("host") not in [[host] for host in self._hosts]:
            return _no("this is not the address that harness mark printed")
        origins = headers.getlist("origin")
        ours = {f"http://{host}" for host in headers.getlist("host")}
        if not ours.issuperset(origins) or (request.method not in _READING and not origins):
            return _no("this came from another page than that of harness mark")
        site = headers.get("sec-fetch-site", "same-origin")
        if request.method not in _READING and site != "same-origin":
            return _no("this came from another site")
        return None

    def _entered(self, request: Request) -> Response | None:
        """The way in, or a refusal; None for one who is in."""
        given = request.query_params.get("token", "")
        if request.url.path == "/" and request.method == "GET" and given:
            if not self._right(given):
                return _no("this is the address of an earlier session")
            answer = RedirectResponse("/", 303)
            answer.set_cookie(self.cookie, self._token, httponly=True, samesite="strict", path="/")
            return answer
        if self._right(request.cookies.get(self.cookie, "")):
            return None
        return _no("open the whole address that harness mark printed")

    def _right(self, given: str) -> bool:
        return secrets.compare_digest(given.encode(), self._token.encode())


def _no(reason: str) -> Response:
    return PlainTextResponse(f"Refused: {reason}.\n", 403)
