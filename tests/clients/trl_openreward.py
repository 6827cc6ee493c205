"""Drives a GTM server with TRL's OpenReward environments: `trl_openreward.py SERVER_URL`. The server serves
examples/travel.yaml."""
import os
import sys

server = sys.argv[1]
os.environ.update(OPENREWARD_SESSION_URL=server, OPENREWARD_API_URL=server)

from trl.experimental.openreward import OpenRewardSpec  # noqa: E402

spec = OpenRewardSpec(server, num_tasks=2)
rows = spec.train_dataset
assert len(rows) == 2, rows
env = spec.environment_factory()
env.reset(**rows[0])
assert "TP933" in env.search_flights(**{"from": "ZRH", "to": "LIS"})
env.book_flight(flight_id="TP933", passengers=["Noa Frei"])
assert spec.reward_funcs([env]) == [1.0], spec.reward_funcs([env])
print("ok")
