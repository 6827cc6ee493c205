"""Calls, forks and batches in process, as median [least, greatest] of rounds.

    pip install . && python python/benches/in_process.py [--rounds 7] [--json]
"""

import argparse
import json
import statistics
import time

import gtm

TOOLS = [
    {
        "name": "get_item",
        "description": "Gets an item by its id.",
        "parameters": {"type": "object", "properties": {"item_id": {"type": "string"}}, "required": ["item_id"]},
    },
    {
        "name": "update_item",
        "description": "Updates an item.",
        "parameters": {
            "type": "object",
            "properties": {"item_id": {"type": "string"}, "qty": {"type": "integer"}},
            "required": ["item_id"],
        },
    },
]


def world(items):
    """A state of items of about 100 bytes each."""
    item = lambda i: {"id": f"i{i}", "name": f"Item number {i} of the stock", "qty": i % 50, "status": "open"}
    return {"items": {f"i{i}": item(i) for i in range(items)}}


def measure(rounds, work):
    """Figures of `work`, which returns one, over the rounds; the first is not counted."""
    work()
    figures = [work() for _ in range(rounds)]
    return statistics.median(figures), min(figures), max(figures)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    toolset = gtm.Toolset({"name": "items", "tools": TOOLS, "state": world(10_000)})
    large = toolset.session()
    size = len(json.dumps(large.state()))

    def calls(count=20_000):
        session = toolset.session()
        begun = time.perf_counter()
        for i in range(count):
            if i % 3:
                reply = session.call("get_item", {"item_id": f"i{i % 10_000}"})
            else:
                reply = session.call("update_item", {"item_id": f"i{i % 10_000}", "qty": i})
            reply.content
        return count / (time.perf_counter() - begun)

    def forks():
        begun = time.perf_counter()
        kept = large.fork(1_000)
        took = (time.perf_counter() - begun) * 1e3
        del kept
        return took

    def batches(rollouts=64, steps=20):
        sessions = toolset.session().fork(rollouts)
        batch = [(session, "get_item", {"item_id": f"i{i}"}) for session in sessions for i in range(steps)]
        begun = time.perf_counter()
        for reply in gtm.call_batch(batch):
            reply.is_error
        return len(batch) / (time.perf_counter() - begun)

    rows = {
        "python_calls_per_s": (measure(given.rounds, calls), "calls/s in one thread, content looked at"),
        "python_forks_1000_ms": (measure(given.rounds, forks), f"ms for 1,000 forks of a session of {size / 1e6:.1f} MB"),
        "python_batched_calls_per_s": (measure(given.rounds, batches), "calls/s, 64 rollouts of 20 calls in one batch"),
    }
    if given.json:
        spread = {name: [low, high] for name, ((_, low, high), _) in rows.items()}
        print(json.dumps({**{name: middle for name, ((middle, _, _), _) in rows.items()}, "spread": spread}))
        return
    for name, ((middle, low, high), what) in rows.items():
        print(f"{name:<28} {middle:,.1f} [{low:,.1f}, {high:,.1f}]  {what}")


if __name__ == "__main__":
    main()
