"""Simulates the tools that AI agents call.

    import gtm

    toolset = gtm.Toolset("petstore.yaml")          # any OpenAPI, MCP, OpenAI … spec, or a toolset file
    session = toolset.session(seed=7)
    reply = session.call("addPet", {"name": "Rex", "photoUrls": []})
    reply.content["id"], reply.is_error
    forks = session.fork(64)                        # cheap copies that go their own ways
    gtm.call_batch([(fork, "getPetById", {"petId": 1}) for fork in forks])

    environment = gtm.Environment("travel.yaml")    # tasks with goals that code checks
    attempt = environment.attempt("cheapest")
    attempt.call("book_flight", {...}); attempt.reward()["reward"]

Sessions are safe to use from threads; the interpreter is let go while the simulator works.
Adapters are modules of their own, none of which is imported unless it is asked for: `gtm.aio`,
`gtm.pytest_plugin`, `gtm.gymnasium`, `gtm.trl`, `gtm.verl`.
"""

from gtm._native import (
    Environment,
    GtmError,
    Reply,
    RequestError,
    Session,
    SessionError,
    SpecError,
    StorageError,
    ToolError,
    Toolset,
    ToolsetError,
    __version__,
    call_batch,
)

__all__ = [
    "Environment",
    "GtmError",
    "Reply",
    "RequestError",
    "Session",
    "SessionError",
    "SpecError",
    "StorageError",
    "ToolError",
    "Toolset",
    "ToolsetError",
    "__version__",
    "call_batch",
]
