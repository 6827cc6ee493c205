"""Drives a GTM server with the openreward SDK: `ors_client.py SERVER_URL`. The server serves examples/travel.yaml."""
import os
import sys

server = sys.argv[1]
os.environ.update(OPENREWARD_SESSION_URL=server, OPENREWARD_API_URL=server)

from openreward import OpenReward  # noqa: E402

environment = OpenReward(api_key="x", base_url=server).environments.get("travel")
assert {split if isinstance(split, str) else split.name for split in environment.list_splits()} == {"train", "test"}
tasks = environment.list_tasks("train")
assert len(tasks) == 2, tasks
assert environment.num_tasks("test") == 2

with environment.session(split="train", index=0) as session:
    assert "Lisbon" in session.get_prompt()[0].text
    assert "book_flight" in {tool.name for tool in session.list_tools()}
    found = session.call_tool("search_flights", {"from": "ZRH", "to": "LIS"})
    assert "TP933" in found.blocks[0].text and found.reward == 0.0 and not found.finished, found
    booked = session.call_tool("book_flight", {"flight_id": "TP933", "passengers": ["Noa Frei"]})
    assert booked.reward == 1.0 and booked.finished, booked

with environment.session(split="test", index=1) as session:
    answered = session.call_tool("submit_answer", {"answer": "BA709"})
    assert answered.reward == 1.0 and answered.finished, answered
print("ok")
