"""A loop in the manner of Gymnasium: reset, step, until terminated or truncated.

    env = ToolEnv("travel.yaml", split="train")
    observation, info = env.reset(seed=0)
    observation, reward, terminated, truncated, info = env.step(("get_flight", {"flight_id": "LX318"}))

Actions are `(tool, arguments)`, observations are text, so that spaces would say nothing: the class has
`reset`, `step` and `close` as `gymnasium.Env` has them and needs no package.
"""

from __future__ import annotations

import os
import random
from typing import Any

from gtm.episode import Episode, environment


class ToolEnv:
    """Tasks of an environment file, one after the other."""

    def __init__(self, path: str | os.PathLike[str], split: str | None = None) -> None:
        self.path = os.fspath(path)
        self.tasks = [task["id"] for task in environment(self.path).tasks(split)]
        if not self.tasks:
            raise ValueError(f"{self.path} has no task" + (f" in the split {split!r}" if split else ""))
        self._random = random.Random(0)
        self.episode: Episode | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[str, dict[str, Any]]:
        """Begins an attempt: at `options["task"]`, or at a task that is drawn. Returns the instruction."""
        if seed is not None:
            self._random.seed(seed)
        task = (options or {}).get("task") or self._random.choice(self.tasks)
        self.episode = Episode(self.path, task)
        return self.episode.instruction, {"task": task, "tools": self.episode.tools}

    def step(self, action: tuple[str, dict[str, Any] | None]) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Makes a call: what the agent reads, its pay, whether the attempt is over or its calls are used."""
        if self.episode is None or self.episode.over():
            raise RuntimeError("the attempt is over: call reset")
        tool, arguments = action
        text = self.episode.call(tool, arguments)
        reward, score = self.episode.pay(), self.episode.score()
        done = self.episode.answer is not None or (not self.episode.task["answer"] and score["success"])
        return text, reward, done, not done and self.episode.calls_left == 0, {"score": score}

    def close(self) -> None:
        """Ends the attempt."""
        self.episode = None
