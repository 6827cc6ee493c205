"""Prints tools in the shape that the openai SDK makes of typed functions: `openai_tools.py`."""
import enum
import json

import openai
from pydantic import BaseModel, Field


class Priority(str, enum.Enum):
    low = "low"
    high = "high"


class create_task(BaseModel):
    """Create a task in the to-do list."""

    title: str = Field(description="What is to be done")
    priority: Priority = Priority.low


class get_task(BaseModel):
    """Get a task by its id."""

    task_id: str = Field(description="Id of the task")


class list_tasks(BaseModel):
    """List all tasks."""


class delete_task(BaseModel):
    """Delete a task."""

    task_id: str = Field(description="Id of the task")


print(json.dumps([openai.pydantic_function_tool(tool) for tool in (create_task, get_task, list_tasks, delete_task)]))
