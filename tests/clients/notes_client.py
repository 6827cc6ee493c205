"""Uses the notes server with the Python SDK 1.x: `notes_client.py URL | -- COMMAND...`. Prints what it saw."""
import asyncio
import json
import sys

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamablehttp_client


async def use(read, write) -> list:
    seen = []
    async with ClientSession(read, write) as session:
        await session.initialize()
        seen.append(sorted(tool.name for tool in (await session.list_tools()).tools))

        async def call(name, arguments, **options):
            result = await session.call_tool(name, arguments, **options)
            seen.append([name, result.isError, result.structuredContent, [block.model_dump(exclude_none=True) for block in result.content]])

        await call("add_note", {"text": "water the plants", "api_key": "sk-very-secret"})
        await call("get_note", {"id": "note-1"})
        await call("get_note", {"id": "note-9"})
        await call("say", {"text": "hello"})
        await call("pieces", {})
        progress = []

        async def on_progress(done, total, message):
            progress.append(done)

        await call("count", {"to": 3}, progress_callback=on_progress)
        seen.append(["progress", progress])
    return seen


async def main() -> None:
    if sys.argv[1] == "--":
        server = StdioServerParameters(command=sys.argv[2], args=sys.argv[3:])
        async with stdio_client(server) as (read, write):
            seen = await use(read, write)
    else:
        async with streamablehttp_client(sys.argv[1], headers={"Authorization": "Bearer sk-header-secret"}) as (read, write, _):
            seen = await use(read, write)
    print(json.dumps(seen))


asyncio.run(main())
