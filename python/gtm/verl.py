"""Tools and reward for verl's agent loop, against a `gtm serve` that its workers share.

    gtm serve travel.yaml
    python -m gtm.verl travel.yaml --url http://sim:8031 > tools.yaml

    actor_rollout_ref.rollout.multi_turn: {enable: true, tool_config_path: tools.yaml,
                                           max_tool_response_length: 8192, format: hermes}
    custom_reward_function: {path: pkg://gtm.verl, name: compute_score}

A trajectory is a session: verl calls `create` and `release` around every single call, so that the session's
id is kept in `agent_data.extra_fields`, which reaches the reward. Sessions end by the server's idle time. Which
task a trajectory attempts is in its row, as verl's `create_kwargs`; `rows` writes such rows.
"""

from __future__ import annotations

import asyncio
import os
import sys
import uuid
from functools import lru_cache
from typing import Any

from gtm.remote import Remote

try:
    from verl.tools.base_tool import BaseTool
    from verl.tools.schemas import ToolResponse
except ImportError as error:  # pragma: no cover
    if __name__ != "__main__":
        raise ImportError("gtm.verl needs verl: pip install verl") from error
    BaseTool = object

#: With full determinism verl's request ids repeat from run to run; sessions must not.
_RUN = os.environ.get("GTM_RUN_ID") or uuid.uuid4().hex[:8]


@lru_cache(maxsize=8)
def _remote(url: str, api_key: str | None) -> Remote:
    return Remote(url, api_key=api_key)


class SimTool(BaseTool):
    """A tool of a simulated toolset. Its config: `base_url`, and `environment` or `toolset`."""

    async def execute(
        self, instance_id: str, parameters: dict[str, Any], *, agent_data: Any = None, **_: Any
    ) -> tuple[Any, float, dict[str, Any]]:
        """Makes the call in the trajectory's session, which the first call opens."""
        remote = _remote(self.config["base_url"], os.environ.get("GTM_API_KEY"))
        reply = await asyncio.to_thread(self._call, remote, parameters, agent_data)
        return ToolResponse(text=reply["text"]), 0.0, {"gtm_is_error": int(reply["is_error"])}

    def _call(self, remote: Remote, parameters: dict[str, Any], agent_data: Any) -> dict[str, Any]:
        fields = agent_data.extra_fields
        session = fields.get("gtm_session_id")
        if session is None:
            options = {key: self.config[key] for key in ("environment", "toolset") if self.config.get(key)}
            task = _task(agent_data.tools_kwargs)
            if task is not None:
                options["task"] = task
            session = remote.open(f"{_RUN}-{agent_data.request_id}", **options)
            fields["gtm_session_id"] = session
            fields["gtm_base_url"] = self.config["base_url"]
        return remote.call(session, self.name, parameters)


def _task(tools_kwargs: dict[str, Any] | None) -> str | None:
    """The task that a row names, under whichever of its tools."""
    given = [(kwargs or {}).get("create_kwargs") or {} for kwargs in (tools_kwargs or {}).values()]
    return next((kwargs["gtm_task"] for kwargs in given if kwargs.get("gtm_task")), None)


def rows(source: str, split: str | None = None) -> list[dict[str, Any]]:
    """Rows of a dataset for verl (write them as Parquet): one for each task of an environment file."""
    from gtm import _native

    loaded = _native.Environment(source)
    made = []
    for task in loaded.tasks(split):
        tools = [tool["function"]["name"] for tool in loaded.attempt(task["id"]).tools]
        kwargs = {tool: {"create_kwargs": {"gtm_task": task["id"]}} for tool in tools}
        made.append(
            {
                "data_source": f"gtm/{loaded.name}",
                "agent_name": "tool_agent",
                "prompt": [{"role": "user", "content": task["instruction"]}],
                "reward_model": {"style": "rule", "ground_truth": task["id"]},
                "extra_info": {"split": task["split"], "tools_kwargs": kwargs, "tool_selection": tools},
            }
        )
    return made


def compute_score(
    data_source: str, solution_str: str, ground_truth: Any, extra_info: dict[str, Any] | None = None, **_: Any
) -> dict[str, Any]:
    """verl's reward function: what the trajectory's session is worth; its last text is the answer."""
    info = extra_info or {}
    session = info.get("gtm_session_id")
    if session is None:
        # No tool was called: nothing was achieved.
        return {"score": 0.0, "success": 0}
    remote = _remote(info["gtm_base_url"], os.environ.get("GTM_API_KEY"))
    score = remote.reward(session, solution_str)
    return {"score": float(score["reward"]), "success": int(score["success"])}


def tool_config(source: str, url: str, environment: str | None = None) -> dict[str, Any]:
    """What verl's `tool_config_path` holds, for the tools of an environment file or toolset."""
    from gtm import _native

    try:
        loaded = _native.Environment(source)
        tools = {}
        for task in loaded.tasks():
            for tool in loaded.attempt(task["id"]).tools:
                tools.setdefault(tool["function"]["name"], tool)
        config = {"type": "native", "base_url": url, "environment": environment or loaded.name}
    except _native.GtmError:
        toolset = _native.Toolset(source)
        tools = {tool["function"]["name"]: tool for tool in toolset.tools}
        config = {"type": "native", "base_url": url, "toolset": environment or toolset.name}
    entry = lambda tool: {"class_name": "gtm.verl.SimTool", "config": config, "tool_schema": flatten(tool)}
    return {"tools": [entry(tool) for tool in tools.values()]}


def flatten(tool: dict[str, Any]) -> dict[str, Any]:
    """A tool as verl's schema model takes it: every property has one type, and what is lost is told in words."""
    import json

    function = tool["function"]
    properties = {}
    for name, schema in function["parameters"].get("properties", {}).items():
        schema = schema if isinstance(schema, dict) else {}
        kinds = schema.get("type")
        kinds = [kind for kind in kinds if kind != "null"] if isinstance(kinds, list) else [kinds]
        kind = kinds[0] if kinds and isinstance(kinds[0], str) else "string"
        flat = {"type": kind, "description": schema.get("description") or name}
        if isinstance(schema.get("enum"), list):
            flat["enum"] = schema["enum"]
        rest = {k: v for k, v in schema.items() if k in ("items", "properties", "required", "anyOf", "oneOf", "format")}
        if rest:
            flat["description"] += " Schema: " + json.dumps(rest, separators=(",", ":"))
        properties[name] = flat
    parameters = {
        "type": "object",
        "properties": properties,
        "required": function["parameters"].get("required", []),
    }
    return {
        "type": "function",
        "function": {"name": function["name"], "description": function["description"], "parameters": parameters},
    }


def main() -> None:
    """Writes the tool configuration of a file to standard output."""
    import argparse
    import json

    parser = argparse.ArgumentParser(prog="python -m gtm.verl", description=main.__doc__)
    parser.add_argument("source", help="environment file, toolset or spec")
    parser.add_argument("--url", default="http://127.0.0.1:8031", help="where `gtm serve` is")
    parser.add_argument("--environment", help="its name there, if it is another")
    given = parser.parse_args()
    # JSON is YAML, and needs no package to be written.
    json.dump(tool_config(given.source, given.url, given.environment), sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
