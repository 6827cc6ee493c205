"""Pytest fixtures: a simulated tool server for a test, in the process or over HTTP.

    @pytest.mark.gtm("petstore.yaml", seed=7, faults=[{"tool": "addPet", "on": {"nth": 1}, "error": {}}])
    def test_agent_retries(gtm_session):
        run_my_agent(call=gtm_session.call)
        assert gtm_session.state()["pets"]

    @pytest.mark.gtm("petstore.yaml")
    def test_over_http(gtm_server):
        httpx.get(f"{gtm_server.rest}/pet/1")

The marker takes what `gtm.Toolset` takes, and `seed`, `state`, `world` and `faults` of a session.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

#: Seconds that a server may take to start.
_START = 30


def pytest_configure(config: pytest.Config) -> None:
    """Makes the marker known."""
    config.addinivalue_line("markers", "gtm(source, **options): the toolset that gtm's fixtures simulate")


def _marked(request: pytest.FixtureRequest) -> tuple[Any, dict[str, Any]]:
    marker = request.node.get_closest_marker("gtm")
    if marker is None or len(marker.args) != 1:
        raise pytest.UsageError("mark the test with @pytest.mark.gtm(SOURCE, seed=…, faults=[…])")
    source = marker.args[0]
    # A relative path is meant from where the test is.
    if isinstance(source, (str, os.PathLike)) and not os.path.isabs(source):
        beside = Path(request.node.path).parent / source
        source = beside if beside.exists() else source
    return source, dict(marker.kwargs)


@pytest.fixture
def gtm_session(request: pytest.FixtureRequest):
    """A session of the marked toolset, in this process."""
    import gtm

    source, options = _marked(request)
    return gtm.Toolset(source).session(**options)


@dataclass(frozen=True)
class Server:
    """A running `gtm serve` with one session in it."""

    url: str
    session: str

    @property
    def rest(self) -> str:
        """Where the imported API's own paths begin."""
        return f"{self.url}/r/{self.session}"

    @property
    def mcp(self) -> str:
        """The address of the MCP server."""
        return f"{self.url}/s/{self.session}/mcp"

    def call(self, tool: str, arguments: dict[str, Any] | None = None) -> dict[str, Any]:
        """Calls a tool by the session API; returns the reply as the server writes it."""
        return self._post(f"/v1/sessions/{self.session}/call", {"tool": tool, "arguments": arguments or {}})

    def state(self) -> Any:
        """The session's visible state."""
        with urllib.request.urlopen(f"{self.url}/v1/sessions/{self.session}/state") as answer:
            return json.load(answer)["state"]

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        data = json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"content-type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)


@pytest.fixture
def gtm_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server of the marked toolset on a free port, with a session made as the marker says."""
    source, options = _marked(request)
    with tempfile.TemporaryDirectory() as folder:
        if not isinstance(source, (str, os.PathLike)):
            path = Path(folder) / "toolset.json"
            path.write_text(json.dumps(source))
            source = path
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        log = Path(folder) / "log"
        with log.open("w") as out:
            command = [sys.executable, "-m", "gtm", "serve", os.fspath(source), "--addr", f"127.0.0.1:{port}"]
            process = subprocess.Popen(command, stdout=out, stderr=out)
        try:
            server = Server(f"http://127.0.0.1:{port}", "test")
            _await_ready(server, process, log)
            server._post("/v1/sessions", {"id": server.session, **options})
            yield server
        finally:
            process.terminate()
            process.wait(timeout=_START)


def _await_ready(server: Server, process: subprocess.Popen, log: Path) -> None:
    end = time.monotonic() + _START
    while True:
        try:
            urllib.request.urlopen(f"{server.url}/readyz").close()
            return
        except (urllib.error.URLError, ConnectionError):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"gtm serve did not start:\n{log.read_text()}") from None
            time.sleep(0.05)
