"""Drives a GTM server with the Python MCP SDK 1.x: `mcp_v1.py SERVER_URL`."""
import asyncio
import json
import sys

from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client


async def main(server: str) -> None:
    async with streamablehttp_client(f"{server}/s/py-mcp-1/mcp") as (read, write, _), ClientSession(read, write) as session:
        info = await session.initialize()
        assert info.serverInfo.name, info
        tools = {tool.name: tool for tool in (await session.list_tools()).tools}
        assert {"createPet", "getPet", "listPets", "deletePet"} <= tools.keys(), tools.keys()

        made = await session.call_tool("createPet", {"name": "Rex", "category": "dog", "price": 250})
        assert not made.isError, made
        pet = made.structuredContent
        assert pet["name"] == "Rex", pet
        assert json.loads(made.content[0].text) == pet

        read_back = await session.call_tool("getPet", {"petId": pet["id"]})
        assert read_back.structuredContent == pet, read_back

        gone = await session.call_tool("deletePet", {"petId": pet["id"]})
        assert not gone.isError, gone
        missing = await session.call_tool("getPet", {"petId": pet["id"]})
        assert missing.isError, missing
        wrong = await session.call_tool("createPet", {"name": 5, "category": "dog", "price": 250})
        assert wrong.isError and "name" in wrong.content[0].text, wrong
        # The session goes on after errors.
        assert not (await session.call_tool("listPets", {})).isError
    print("ok")


asyncio.run(main(sys.argv[1]))
