"""Environments for TRL's GRPO trainers, in the trainer's own process.

    from gtm.trl import EnvironmentFactory

    factory = EnvironmentFactory("travel.yaml")
    GRPOTrainer(..., train_dataset=Dataset.from_list(factory.rows("train")), environment_factory=factory,
                reward_funcs=gtm.trl.reward)

The factory can be pickled (AsyncGRPOTrainer needs that): it holds a path, and makes the class of its
environments anew in each process, with one method for each tool, since that is where TRL looks for tools.
"""

from __future__ import annotations

import inspect
import keyword
import os
from functools import lru_cache
from typing import Any

from gtm.episode import Episode, environment

_TYPES = {"string": str, "integer": int, "number": float, "boolean": bool, "array": list, "object": dict}
#: Names that TRL calls itself.
_RESERVED = {"reset", "get_reward"}


class EnvironmentFactory:
    """Makes environments of an environment file; picklable."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.path.abspath(os.fspath(path))

    def __call__(self) -> Any:
        return _class(self.path)()

    def rows(self, split: str | None = None) -> list[dict[str, Any]]:
        """Rows for a dataset: a prompt with the instruction, and the task that `reset` is given."""
        ask = lambda task: [{"role": "user", "content": task["instruction"]}]
        return [{"prompt": ask(task), "task": task["id"]} for task in environment(self.path).tasks(split)]


def reward(environments: list[Any], **_: Any) -> list[float]:
    """A reward function for TRL: what each attempt is worth."""
    return [attempt.get_reward() for attempt in environments]


@lru_cache(maxsize=16)
def _class(path: str) -> type:
    """The class of environments of a file: a method for each tool of its tasks."""

    class ToolEnvironment:
        """An attempt at a task; its public methods are the tools."""

        def __init__(self) -> None:
            self._episode: Episode | None = None

        def reset(self, task: str | None = None, **_: Any) -> None:
            """Begins an attempt at the task of the dataset's row."""
            tasks = environment(path).tasks()
            self._episode = Episode(path, task or tasks[0]["id"])

        def get_reward(self) -> float:
            """What the attempt is worth."""
            return 0.0 if self._episode is None else float(self._episode.score()["reward"])

    seen: dict[str, dict[str, Any]] = {}
    for task in environment(path).tasks():
        for tool in Episode(path, task["id"]).tools:
            seen.setdefault(tool["function"]["name"], tool["function"])
    for name, tool in seen.items():
        setattr(ToolEnvironment, _method_name(name), _method(name, tool))
    return ToolEnvironment


def _method_name(tool: str) -> str:
    name = "".join(c if c.isalnum() or c == "_" else "_" for c in tool).lstrip("_") or "tool"
    if name[0].isdigit() or keyword.iskeyword(name) or name in _RESERVED:
        name = f"tool_{name}"
    return name


def _method(tool: str, spec: dict[str, Any]) -> Any:
    """A method that calls a tool, described as `transformers.utils.get_json_schema` reads it."""
    schema = spec["parameters"]
    required = set(schema.get("required", []))
    parameters = [inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)]
    lines, annotations, names = [], {}, {}
    # What must be given comes first, as Python wants it.
    for argument in sorted(schema.get("properties", {}), key=lambda argument: argument not in required):
        about = schema["properties"][argument]
        kind = about.get("type") if isinstance(about, dict) else None
        kind = next((k for k in kind if k != "null"), None) if isinstance(kind, list) else kind
        name = _method_name(argument)
        names[name] = argument
        annotations[name] = _TYPES.get(kind, str)
        default = inspect.Parameter.empty if argument in required else None
        parameters.append(
            inspect.Parameter(
                name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default, annotation=annotations[name]
            )
        )
        description = " ".join(str(about.get("description") or argument).split()) if isinstance(about, dict) else argument
        lines.append(f"    {name}: {description}")

    def method(self: Any, *args: Any, **kwargs: Any) -> str:
        if self._episode is None:
            raise RuntimeError("the environment was not reset")
        bound = signature.bind(self, *args, **kwargs).arguments
        given = {names[name]: value for name, value in bound.items() if name != "self" and value is not None}
        return self._episode.call(tool, given)

    signature = inspect.Signature(parameters, return_annotation=str)
    description = " ".join((spec.get("description") or tool).split())
    method.__name__ = method.__qualname__ = _method_name(tool)
    method.__signature__ = signature
    method.__annotations__ = {**annotations, "return": str}
    method.__doc__ = description + ("\n\nArgs:\n" + "\n".join(lines) if lines else "")
    return method
