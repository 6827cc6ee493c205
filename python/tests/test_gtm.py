"""The package as its users meet it. Run with `pytest python/tests` after `pip install .`."""

import asyncio
import subprocess
import sys
import threading

import pytest

import gtm
from gtm import aio

TOOLS = [
    {
        "name": "create_note",
        "description": "Creates a note.",
        "parameters": {
            "type": "object",
            "properties": {"title": {"type": "string"}, "body": {"type": "string"}},
            "required": ["title"],
        },
        "returns": {
            "type": "object",
            "properties": {"id": {"type": "string"}, "title": {"type": "string"}, "body": {"type": "string"}},
        },
    },
    {
        "name": "get_note",
        "description": "Gets a note by its id.",
        "parameters": {"type": "object", "properties": {"note_id": {"type": "string"}}, "required": ["note_id"]},
        "returns": {
            "type": "object",
            "properties": {"id": {"type": "string"}, "title": {"type": "string"}, "body": {"type": "string"}},
        },
    },
]
STATE = {"notes": {"n1": {"id": "n1", "title": "First", "body": "Text"}}}
TOOLSET = {"name": "notes", "tools": TOOLS, "state": STATE}


@pytest.fixture
def toolset():
    return gtm.Toolset(TOOLSET)


def test_a_created_note_can_be_read(toolset):
    session = toolset.session(seed=1)
    made = session.call("create_note", {"title": "Milk"})
    assert not made.is_error, made
    found = session.call("get_note", {"note_id": made.content["id"]})
    assert found.content["title"] == "Milk"
    assert made.content["id"] in session.state()["notes"]
    assert [turn["call"]["tool"] for turn in session.transcript()] == ["create_note", "get_note"]
    assert session.turns == 2 and session.version == 1


def test_simulated_failures_are_replies(toolset):
    session = toolset.session()
    reply = session.call("get_note", {"note_id": "missing"})
    assert reply.is_error and reply.error["kind"] == "not_found" and session.version == 0
    with pytest.raises(gtm.ToolError) as raised:
        reply.raise_for_error()
    assert raised.value.kind == "not_found" and raised.value.reply.is_error
    assert session.call("get_note", {}).error["kind"] == "invalid_argument"
    assert session.call("no_such_tool").error["kind"] == "unknown_tool"


def test_errors_carry_the_codes_of_the_server(toolset, tmp_path):
    with pytest.raises(gtm.SpecError) as raised:
        gtm.Toolset(tmp_path / "missing.yaml")
    assert raised.value.code == "GTM0101" and "missing.yaml" in raised.value.place
    with pytest.raises(gtm.SessionError) as raised:
        toolset.session().rollback("nowhere")
    assert raised.value.code == "GTM0305" and raised.value.hint
    with pytest.raises(gtm.StorageError):
        toolset.restore("not json")
    with pytest.raises(gtm.GtmError):
        toolset.session(state=[1])


def test_hostile_values_are_refused(toolset):
    session = toolset.session()
    deep = []
    for _ in range(10_000):
        deep = [deep]
    with pytest.raises(ValueError):
        session.call("create_note", {"title": deep})
    around = {}
    around["self"] = around
    with pytest.raises(ValueError):
        session.call("create_note", around)
    for wrong in ({"title": object()}, {1: 2}):
        with pytest.raises(TypeError):
            session.call("create_note", wrong)
    assert session.turns == 0


def test_forks_go_their_own_ways(toolset):
    session = toolset.session()
    session.snapshot("start")
    forks = session.fork(64)
    replies = gtm.call_batch([(fork, "create_note", {"title": f"Note {i}"}) for i, fork in enumerate(forks)])
    assert [reply.content["title"] for reply in replies] == [f"Note {i}" for i in range(64)]
    assert session.version == 0 and all(fork.version == 1 for fork in forks)
    one = forks[0]
    one.rollback("start")
    assert one.state() == STATE
    one.call("create_note", {"title": "Again"})
    one.rollback(0)
    assert one.state() == STATE
    one.reset()
    assert one.turns == 0


def test_a_batch_keeps_the_order_within_a_session(toolset):
    first, second = toolset.session(seed=1), toolset.session(seed=1)
    calls = [(session, "create_note", {"title": str(i)}) for i in range(20) for session in (first, second)]
    replies = gtm.call_batch(calls, threads=4)
    assert [r.content["title"] for r in replies[::2]] == [str(i) for i in range(20)]
    assert [r.text for r in replies[::2]] == [r.text for r in replies[1::2]]
    assert gtm.call_batch([]) == []


def test_a_session_saved_goes_on_the_same(toolset):
    session = toolset.session(seed=3)
    session.call("create_note", {"title": "Kept"})
    again = toolset.restore(session.save())
    assert again.state() == session.state() and again.transcript() == session.transcript()
    assert again.call("create_note", {"title": "x"}).text == session.call("create_note", {"title": "x"}).text


def test_real_outcomes_are_taken_in(toolset):
    session = toolset.session()
    session.observe("get_note", {"note_id": "n1"}, {"id": "n1", "title": "Changed", "body": "Text"})
    assert session.call("get_note", {"note_id": "n1"}).content["title"] == "Changed"


def test_a_retried_call_has_one_effect(toolset):
    session = toolset.session()
    first = session.call("create_note", {"title": "Once"}, idempotency_key="k")
    again = session.call("create_note", {"title": "Once"}, idempotency_key="k")
    assert first.text == again.text and again.provenance["retried"] and session.version == 1
    with pytest.raises(gtm.SessionError):
        session.call("create_note", {"title": "Other"}, idempotency_key="k")


def test_threads_may_share_a_session(toolset):
    session = toolset.session()
    create = lambda: [session.call("create_note", {"title": "t"}) for _ in range(50)]
    work = [threading.Thread(target=create) for _ in range(2)]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()
    assert len(session.state()["notes"]) == 101


def test_asyncio(toolset):
    async def both():
        sessions = toolset.session().fork(8)
        one = await aio.call(sessions[0], "create_note", {"title": "A"})
        many = await aio.call_batch([(session, "create_note", {"title": "B"}) for session in sessions])
        return one, many

    one, many = asyncio.run(both())
    assert one.content["title"] == "A" and len(many) == 8


def test_tools_are_what_chat_models_take(toolset):
    assert [tool["function"]["name"] for tool in toolset.tools] == ["create_note", "get_note"]
    assert all(tool["type"] == "function" and tool["function"]["parameters"] for tool in toolset.tools)
    assert gtm.Toolset(toolset.tools).tools == toolset.tools


def test_the_command_line_is_there():
    run = lambda *words: subprocess.run([sys.executable, "-m", "gtm", *words], capture_output=True, text=True)
    assert run("--version").stdout.split()[1] == gtm.__version__
    failed = run("call", "/nowhere.yaml", "x")
    assert failed.returncode == 3 and "GTM0101" in failed.stderr


@pytest.mark.gtm(TOOLSET, faults=[{"tool": "create_note", "on": {"nth": 1}, "error": {"kind": "unavailable"}}])
def test_the_session_fixture_injects_faults(gtm_session):
    assert gtm_session.call("create_note", {"title": "A"}).error["kind"] == "unavailable"
    assert not gtm_session.call("create_note", {"title": "A"}).is_error


@pytest.mark.gtm(TOOLSET)
def test_the_server_fixture_serves(gtm_server):
    made = gtm_server.call("create_note", {"title": "Over HTTP"})
    assert made["content"]["title"] == "Over HTTP"
    assert made["content"]["id"] in gtm_server.state()["notes"]
