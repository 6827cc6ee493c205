"""One attempt at a task, step by step: what the adapters for trainers have in common."""

from __future__ import annotations

from functools import lru_cache
from os import PathLike, fspath
from typing import Any

from gtm import _native

#: The tool by which an agent hands in its answer, in environments that have no other place for it.
SUBMIT = "submit_answer"


@lru_cache(maxsize=16)
def environment(path: str) -> _native.Environment:
    """The environment at a path, read once per process."""
    return _native.Environment(path)


class Episode:
    """An attempt at a task. Steps are paid by what they add to the reward; all together are worth it."""

    def __init__(self, path: str | PathLike[str], task: str) -> None:
        source = environment(fspath(path))
        self.task = next(known for known in source.tasks() if known["id"] == task)
        self.session = source.attempt(task)
        self.answer: str | None = None
        self._paid = 0.0

    @property
    def instruction(self) -> str:
        """What is asked of the agent."""
        return self.task["instruction"]

    @property
    def tools(self) -> list[dict[str, Any]]:
        """The tools that the agent may call; where an answer is asked for, one to hand it in."""
        submit = {
            "type": "function",
            "function": {
                "name": SUBMIT,
                "description": "Hands in the answer and ends the attempt.",
                "parameters": {
                    "type": "object",
                    "properties": {"answer": {"type": "string", "description": "The answer."}},
                    "required": ["answer"],
                },
            },
        }
        return self.session.tools + ([submit] if self.task["answer"] else [])

    @property
    def calls_left(self) -> int | None:
        """Calls that may still be made; None if there is no limit."""
        limit = self.task["calls"]
        return None if limit is None else max(limit - self.session.turns, 0)

    def score(self) -> dict[str, Any]:
        """What the attempt is worth now, and why."""
        return self.session.reward(self.answer)

    def over(self) -> bool:
        """Whether the goal is reached, the answer handed in or every call used."""
        if self.answer is not None or self.calls_left == 0:
            return True
        return not self.task["answer"] and self.score()["success"]

    def call(self, tool: str, arguments: dict[str, Any] | None) -> str:
        """Makes a call and returns what the agent reads."""
        if tool == SUBMIT and self.task["answer"]:
            self.answer = str((arguments or {}).get("answer", ""))
            return "The answer was received."
        return self.session.call(tool, arguments).text

    def pay(self) -> float:
        """What was added to the reward since it was last paid."""
        worth = float(self.score()["reward"])
        paid, self._paid = worth - self._paid, worth
        return paid
