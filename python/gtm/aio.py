"""The same calls for asyncio: each runs on a worker thread, so that the event loop never waits.

    reply = await gtm.aio.call(session, "getPetById", {"petId": 1})
    replies = await gtm.aio.call_batch([(session, "listPets", {}) for session in sessions])
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from gtm import _native
from gtm._native import Reply, Session


async def call(
    session: Session,
    tool: str,
    arguments: dict[str, Any] | None = None,
    *,
    idempotency_key: str | None = None,
) -> Reply:
    """`Session.call`, and the delay that a fault asks for, which the simulator itself never waits."""
    reply = await asyncio.to_thread(session.call, tool, arguments, idempotency_key=idempotency_key)
    if reply.delay_ms:
        await asyncio.sleep(reply.delay_ms / 1000)
    return reply


async def call_batch(
    calls: Sequence[tuple[Session, str, dict[str, Any] | None]], *, threads: int | None = None
) -> list[Reply]:
    """`gtm.call_batch`."""
    return await asyncio.to_thread(_native.call_batch, calls, threads=threads)
