"""Drives a GTM server with the Python MCP SDK 2.x in both protocol modes: `mcp_v2.py SERVER_URL`."""
import asyncio
import sys

from mcp import Client


async def drive(server: str, mode: str) -> None:
    async with Client(f"{server}/s/py-mcp-2-{mode}/mcp", mode=mode) as client:
        names = {tool.name for tool in (await client.list_tools()).tools}
        assert {"createPet", "getPet", "listPets", "deletePet"} <= names, names
        made = await client.call_tool("createPet", {"name": "Rex", "category": "dog", "price": 250})
        assert not made.is_error, made
        pet = made.structured_content
        assert pet["name"] == "Rex", pet
        again = await client.call_tool("getPet", {"petId": pet["id"]})
        assert again.structured_content == pet, again
        assert (await client.call_tool("getPet", {"petId": "no-number"})).is_error
        await client.call_tool("deletePet", {"petId": pet["id"]})
        assert (await client.call_tool("getPet", {"petId": pet["id"]})).is_error
    # State belongs to the URL, not to the connection.
    async with Client(f"{server}/s/py-mcp-2-{mode}/mcp", mode=mode) as client:
        assert (await client.call_tool("getPet", {"petId": pet["id"]})).is_error


async def main(server: str) -> None:
    for mode in ("auto", "legacy"):
        await drive(server, mode)
    print("ok")


asyncio.run(main(sys.argv[1]))
