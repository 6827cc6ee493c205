"""A client of `gtm serve`, for stacks whose workers share a server. Standard library only."""

from __future__ import annotations

import http.client
import json
import threading
import time
from typing import Any
from urllib.parse import quote, urlsplit

#: Times that a request is sent before its failure counts, and the longest wait between two of them.
_ATTEMPTS, _LONGEST_WAIT = 5, 10.0


class RemoteError(Exception):
    """The server refused a request: its problem document, with `code`, `status` and `hint`."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(problem.get("detail") or problem.get("title") or f"status {status}")
        self.status = status
        self.code = problem.get("code")
        self.hint = problem.get("hint")


class Remote:
    """Requests to one server, over a kept-alive connection for each thread."""

    def __init__(self, url: str, *, api_key: str | None = None, timeout: float = 60.0) -> None:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is not an http address")
        self._parts, self._timeout = parts, timeout
        self._headers = {"content-type": "application/json"}
        if api_key:
            self._headers["authorization"] = f"Bearer {api_key}"
        self._local = threading.local()

    def open(self, session: str | None = None, **options: Any) -> str:
        """Makes a session (`environment=`, `task=`; or `toolset=`, `seed=`, `state=` …); returns its id.

        Asked for again with the same options, the same session is meant.
        """
        body = {"id": session, **options} if session else options
        return self.request("POST", "/v1/sessions", body)["id"]

    def call(
        self, session: str, tool: str, arguments: dict[str, Any] | None = None, *, key: str | None = None
    ) -> dict[str, Any]:
        """Calls a tool; with a `key`, a repeated call has no second effect."""
        body: dict[str, Any] = {"tool": tool, "arguments": arguments or {}}
        if key:
            body["idempotency_key"] = key
        return self.request("POST", f"/v1/sessions/{quote(session, safe='')}/call", body, again=key is not None)

    def reward(self, session: str, answer: str | None = None) -> dict[str, Any]:
        """What the attempt is worth, and why."""
        body = {} if answer is None else {"answer": answer}
        return self.request("POST", f"/v1/sessions/{quote(session, safe='')}/reward", body)

    def close(self, session: str) -> None:
        """Removes a session; one that is gone already is no error."""
        try:
            self.request("DELETE", f"/v1/sessions/{quote(session, safe='')}")
        except RemoteError as error:
            if error.status not in (404, 410):
                raise

    def request(self, method: str, path: str, body: Any = None, *, again: bool = True) -> Any:
        """Sends a request; waits and sends it again when the server is busy, and if `again` when the connection broke."""
        data = None if body is None else json.dumps(body).encode()
        for attempt in range(1, _ATTEMPTS + 1):
            wait = min(0.1 * 2**attempt, _LONGEST_WAIT)
            try:
                status, headers, content = self._send(method, path, data)
            except (OSError, http.client.HTTPException):
                self._local.connection = None
                if not again or attempt == _ATTEMPTS:
                    raise
            else:
                if status < 400:
                    return json.loads(content) if content else None
                if status not in (429, 503) or attempt == _ATTEMPTS:
                    raise RemoteError(status, _problem(content))
                asked = headers.get("retry-after", "")
                wait = min(float(asked), _LONGEST_WAIT) if asked.isdigit() else wait
            time.sleep(wait)
        raise AssertionError("unreachable")

    def _send(self, method: str, path: str, data: bytes | None) -> tuple[int, Any, bytes]:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            kind = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
            connection = kind(self._parts.hostname, self._parts.port, timeout=self._timeout)
            self._local.connection = connection
        connection.request(method, self._parts.path.rstrip("/") + path, data, self._headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


def _problem(content: bytes) -> dict[str, Any]:
    try:
        problem = json.loads(content)
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}
