"""Drives a GTM server with OpenEnv's own clients: `openenv_client.py SERVER_URL`. The server serves
examples/travel.yaml."""
import asyncio
import sys

from openenv import GenericEnvClient
from openenv.core.mcp_client import MCPToolClient

server = sys.argv[1]


def act(tool, **arguments):
    return {"type": "call_tool", "tool_name": tool, "arguments": arguments}


for base in (server, f"{server}/e/travel"):
    with GenericEnvClient(base_url=base).sync() as env:
        first = env.reset(episode_id="e1", task_id="cheapest")
        assert first.observation["task_id"] == "cheapest" and "Lisbon" in first.observation["prompt"], first
        assert first.done is False
        tools = env.step({"type": "list_tools"}).observation["tools"]
        assert "book_flight" in {tool["name"] for tool in tools}, tools
        wrong = env.step(act("book_flight", flight_id="TP933"))
        assert wrong.observation["error"]["error_type"] == "invalid_args", wrong
        missing = env.step(act("no_such_tool"))
        assert missing.observation["error"]["error_type"] == "tool_not_found", missing
        found = env.step(act("search_flights", **{"from": "ZRH", "to": "LIS"}))
        assert found.observation["result"]["flights"][0]["id"] == "TP933" and found.reward == 0.0, found
        booked = env.step(act("book_flight", flight_id="TP933", passengers=["Noa Frei"]))
        assert booked.reward == 1.0 and booked.done is True, booked
        state = env.state()
        state = state if isinstance(state, dict) else state.model_dump()
        assert state["step_count"] == 4 and state["episode_id"] == "e1", state

        # An answer is handed in by a tool.
        env.reset(task_id="capacity")
        answered = env.step(act("submit_answer", answer="BA709"))
        assert answered.reward == 1.0 and answered.done is True, answered
        over = env.step(act("get_flight", flight_id="BA709"))
        assert over.done is True and "over" in over.observation["error"]["message"], over

    with MCPToolClient(base_url=base).sync() as client:
        client.reset(task_id="move")
        names = {tool.name for tool in client.list_tools()}
        assert names == {"search_flights", "get_flight", "get_booking", "change_booking"}, names
        booking = client.call_tool("get_booking", booking_id="BK-000100")
        assert booking["booking"]["flight_id"] == "LX2084", booking


async def rollout(number: int) -> None:
    """One session among many: it sees its own booking and no other."""
    async with GenericEnvClient(base_url=server) as env:
        await env.reset(task_id="member")
        people = [f"P{number}-{person}" for person in range(1 + number % 3)]
        booked = await env.step(act("book_flight", flight_id="LX318", passengers=people))
        booking = booked.observation["result"]["booking_id"]
        await asyncio.sleep(0.05)
        read = await env.step(act("get_booking", booking_id=booking))
        assert read.observation["result"]["booking"]["passengers"] == people, read
        flight = await env.step(act("get_flight", flight_id="LX318"))
        assert flight.observation["result"]["seats"] == 12 - len(people), flight


async def many() -> None:
    await asyncio.gather(*(rollout(number) for number in range(64)))


asyncio.run(many())
print("ok")
