"""Adapters, driven the way the stacks drive them. Stacks that are not installed are stood in for by the few
names that the adapters import from them."""

import asyncio
import inspect
import pickle
import sys
import types
from pathlib import Path

import pytest

import gtm
from gtm.gymnasium import ToolEnv
from gtm.remote import Remote, RemoteError
from gtm.trl import EnvironmentFactory, reward

TRAVEL = str(Path(__file__).parents[2] / "examples" / "travel.yaml")
BOOK = ("book_flight", {"flight_id": "TP933", "passengers": ["Noa Frei"]})


def test_rewards_in_process():
    environment = gtm.Environment(TRAVEL)
    assert "cheapest" in [task["id"] for task in environment.tasks("train")]
    attempt = environment.attempt("cheapest")
    before = attempt.reward()
    assert before["reward"] == 0 and any(check["why"] for check in before["checks"])
    fork = attempt.fork()
    fork.call(*BOOK)
    assert fork.reward()["success"] and not attempt.reward()["success"]
    with pytest.raises(gtm.GtmError):
        environment.attempt("no such task")
    with pytest.raises(gtm.GtmError):
        gtm.Toolset(str(Path(TRAVEL).with_name("flights.yaml"))).session().reward()


def test_gymnasium_loop():
    env = ToolEnv(TRAVEL, split="train")
    instruction, info = env.reset(options={"task": "cheapest"})
    assert "Lisbon" in instruction and "book_flight" in [t["function"]["name"] for t in info["tools"]]
    _, pay, terminated, truncated, _ = env.step(("search_flights", {"from": "ZRH", "to": "LIS"}))
    assert (pay, terminated, truncated) == (0.0, False, False)
    _, pay, terminated, truncated, info = env.step(BOOK)
    assert (pay, terminated, truncated) == (1.0, True, False) and info["score"]["success"]
    with pytest.raises(RuntimeError):
        env.step(BOOK)
    assert env.reset(seed=3)[1]["task"] == env.reset(seed=3)[1]["task"]


def test_trl_environments():
    factory = pickle.loads(pickle.dumps(EnvironmentFactory(TRAVEL)))
    row = next(row for row in factory.rows("train") if row["task"] == "cheapest")
    env = factory()
    tools = {name for name, _ in inspect.getmembers(type(env), inspect.isfunction) if not name.startswith("_")}
    assert {"search_flights", "book_flight", "reset", "get_reward"} <= tools
    signature = inspect.signature(env.book_flight)
    assert signature.parameters["flight_id"].annotation is str and signature.return_annotation is str
    assert "Args:\n    flight_id:" in env.book_flight.__doc__
    env.reset(**row)
    assert reward([env]) == [0.0]
    assert "149.5" in env.book_flight("TP933", passengers=["Noa Frei"])
    assert reward([env]) == [1.0]
    env.reset(**row)
    assert env.get_reward() == 0.0


@pytest.fixture
def verl(monkeypatch):
    """What verl 0.9.1 gives to a tool: the two names that `gtm.verl` imports."""

    class BaseTool:
        def __init__(self, config, tool_schema):
            self.config, self.name = config, tool_schema["function"]["name"]

        async def create(self, instance_id=None, **kwargs):
            return instance_id or "instance", ToolResponse()

        async def release(self, instance_id, **kwargs):
            pass

    class ToolResponse:
        def __init__(self, text=None):
            self.text = text

    names = {"verl": {}, "verl.tools": {}, "verl.tools.base_tool": {"BaseTool": BaseTool}}
    names["verl.tools.schemas"] = {"ToolResponse": ToolResponse}
    for name, members in names.items():
        module = types.ModuleType(name)
        module.__dict__.update(members)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.delitem(sys.modules, "gtm.verl", raising=False)
    import gtm.verl

    yield gtm.verl
    sys.modules.pop("gtm.verl", None)


@pytest.mark.gtm(TRAVEL)
def test_verl_trajectories(verl, gtm_server):
    entries = verl.tool_config(TRAVEL, gtm_server.url)["tools"]
    for entry in entries:
        for about in entry["tool_schema"]["function"]["parameters"]["properties"].values():
            assert isinstance(about["type"], str) and about["description"]
    tools = {e["tool_schema"]["function"]["name"]: verl.SimTool(e["config"], e["tool_schema"]) for e in entries}
    row = next(row for row in verl.rows(TRAVEL) if row["reward_model"]["ground_truth"] == "cheapest")

    async def trajectory(number, calls):
        agent = types.SimpleNamespace(request_id=f"r{number}", extra_fields={}, tools_kwargs=row["extra_info"]["tools_kwargs"])
        for name, arguments in calls:
            # As the agent loop does it: an instance for every single call.
            instance, _ = await tools[name].create(create_kwargs=agent.tools_kwargs[name]["create_kwargs"])
            response, pay, metrics = await tools[name].execute(instance, arguments, agent_data=agent)
            await tools[name].release(instance)
            assert response.text and pay == 0.0 and metrics == {"gtm_is_error": 0}
        return agent.extra_fields

    async def run():
        look = ("search_flights", {"from": "ZRH", "to": "LIS"})
        return await asyncio.gather(*(trajectory(i, [look, BOOK] if i % 2 else [look]) for i in range(8)))

    scores = [verl.compute_score("gtm/travel", "done", "cheapest", fields)["score"] for fields in asyncio.run(run())]
    assert scores == [0.0, 1.0] * 4
    assert verl.compute_score("gtm/travel", "done", "cheapest", {}) == {"score": 0.0, "success": 0}


@pytest.mark.gtm(TRAVEL)
def test_the_client_of_a_server(gtm_server):
    remote = Remote(gtm_server.url)
    session = remote.open("mine", environment="travel", task="cheapest")
    assert remote.open("mine", environment="travel", task="cheapest") == session
    first = remote.call(session, *BOOK, key="once")
    assert remote.call(session, *BOOK, key="once")["content"] == first["content"]
    assert remote.reward(session)["success"]
    remote.close(session)
    remote.close(session)
    with pytest.raises(RemoteError) as raised:
        remote.call(session, *BOOK)
    assert raised.value.code == "GTM0301" and raised.value.status == 404
