from collections.abc import Sequence
from os import PathLike
from typing import Any, Literal, overload

__version__: str

class GtmError(Exception):
    """An error of GTM itself, with the codes of its server (`gtm explain CODE`)."""

    code: str
    message: str
    place: str | None
    expected: str | None
    hint: str

class SpecError(GtmError):
    """A tool spec cannot be read (codes GTM01..)."""

class ToolsetError(GtmError):
    """A toolset or behavior is not valid (codes GTM02..)."""

class SessionError(GtmError):
    """A session cannot do what it was asked for (codes GTM03..)."""

class RequestError(GtmError):
    """A request is malformed or too large (codes GTM04..)."""

class StorageError(GtmError):
    """A session cannot be stored or restored (codes GTM05..)."""

class ToolError(Exception):
    """A simulated tool failed; raised by `Reply.raise_for_error` only."""

    kind: str | None
    reply: Reply

class Toolset:
    """Tools with their behaviors and initial state. Immutable, cheap to share."""

    def __init__(self, source: str | PathLike[str] | dict[str, Any] | list[Any]) -> None:
        """Reads a toolset file, any spec file or a folder of specs; or the document itself.

        Raises SpecError or ToolsetError.
        """

    @property
    def name(self) -> str: ...
    @property
    def tools(self) -> list[dict[str, Any]]:
        """The tools as a chat model takes them: `{"type": "function", "function": {...}}`."""

    def session(
        self,
        *,
        seed: int | None = None,
        state: dict[str, Any] | None = None,
        world: Literal["open", "closed"] | None = None,
        faults: list[dict[str, Any]] | None = None,
    ) -> Session:
        """Opens a session; what is not given is as the toolset says. Raises SessionError or ToolsetError."""

    def restore(self, saved: str) -> Session:
        """A session that `Session.save` wrote. Raises StorageError."""

class Environment:
    """A toolset with tasks whose goals code checks. Immutable, cheap to share."""

    def __init__(self, path: str | PathLike[str]) -> None:
        """Reads an environment file, or a dataset that `gtm carg run` made."""

    @property
    def name(self) -> str: ...
    @property
    def description(self) -> str: ...
    def tasks(self, split: str | None = None) -> list[dict[str, Any]]:
        """What the tasks ask: `{"id", "split", "instruction", "calls", "answer"}`."""

    def attempt(self, task: str) -> Session:
        """Opens a session that is an attempt at the task of this id."""

class Session:
    """One agent's copy of a toolset's world. Calls from several threads run one after the other."""

    def call(
        self, tool: str, arguments: dict[str, Any] | None = None, *, idempotency_key: str | None = None
    ) -> Reply:
        """Calls a tool. A simulated failure is a reply; SessionError only for a misused idempotency key."""

    def observe(
        self, tool: str, arguments: dict[str, Any] | None, content: Any, is_error: bool = False
    ) -> Reply:
        """Feeds in what the real tool answered to a call."""

    @overload
    def fork(self, n: None = None, *, seed: int | None = None) -> Session: ...
    @overload
    def fork(self, n: int, *, seed: int | None = None) -> list[Session]:
        """Copies that go their own ways; with `seed`, the i-th draws what it invents from `seed + i`."""

    def snapshot(self, name: str) -> None:
        """Names the present point."""

    def rollback(self, to: str | int) -> None:
        """Goes back to a snapshot by its name, or to just before a turn by its number."""

    def reset(self) -> None:
        """Goes back to the beginning."""

    def state(self) -> dict[str, Any]:
        """The visible state."""

    def transcript(self) -> list[dict[str, Any]]:
        """Calls and replies so far: `{"turn", "call", "reply"}`."""

    def save(self) -> str:
        """The whole session as text, for `Toolset.restore`."""

    def reward(self, answer: str | None = None) -> dict[str, Any]:
        """What the attempt is worth now: `{"reward", "success", "kind", "checks"}`.

        Raises GtmError for a session that is no attempt at a task.
        """

    @property
    def tools(self) -> list[dict[str, Any]]:
        """The tools that may be called here, as a chat model takes them."""

    @property
    def turns(self) -> int: ...
    @property
    def version(self) -> int:
        """Version of the state; a call that changes nothing leaves it."""

    @property
    def seed(self) -> int: ...

class Reply:
    """The answer to a call. A simulated failure is a reply too."""

    @property
    def content(self) -> Any:
        """What the agent sees, in the tool's own shape; made anew at each look."""

    @property
    def text(self) -> str:
        """The content as a language model reads it: text as it is, everything else as JSON."""

    @property
    def is_error(self) -> bool: ...
    @property
    def error(self) -> dict[str, Any] | None: ...
    @property
    def status(self) -> int: ...
    @property
    def provenance(self) -> dict[str, Any]: ...
    @property
    def state_version(self) -> int: ...
    @property
    def delay_ms(self) -> int: ...
    def to_dict(self) -> dict[str, Any]: ...
    def raise_for_error(self) -> Reply:
        """The reply itself; raises ToolError if the call failed."""

def call_batch(
    calls: Sequence[tuple[Session, str, dict[str, Any] | None]], *, threads: int | None = None
) -> list[Reply]:
    """Makes calls to many sessions on all cores; calls of one session are made in their order."""

def main(arguments: list[str]) -> int: ...
