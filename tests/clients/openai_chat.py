"""Drives a GTM server with the openai SDK: `openai_chat.py SERVER_URL`. The server serves examples/travel.yaml."""
import json
import sys

import openai
from pydantic import BaseModel

client = openai.OpenAI(base_url=f"{sys.argv[1]}/v1", api_key="x")

models = [model.id for model in client.models.list()]
assert models == ["gtm", "travel"], models
assert client.models.retrieve("travel").id == "travel"
try:
    client.models.retrieve("nothing")
    raise AssertionError("a model that is not there")
except openai.NotFoundError as error:
    assert error.code == "model_not_found" and "nothing" in error.message, error


def call(name, arguments, id="call_1"):
    return {"id": id, "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}


# The tools of an environment, with the state that the chat implies.
messages = [
    {"role": "user", "content": "Book LX318 for two."},
    {"role": "assistant", "tool_calls": [call("book_flight", {"flight_id": "LX318", "passengers": ["A", "B"]})]},
]
booked = client.chat.completions.create(model="travel", messages=messages)
booking = json.loads(booked.choices[0].message.content)
assert booking["status"] == "confirmed" and booked.choices[0].finish_reason == "stop", booked
assert booked.usage.total_tokens == booked.usage.prompt_tokens + booked.usage.completion_tokens > 0

messages += [
    {"role": "tool", "tool_call_id": "call_1", "content": booked.choices[0].message.content},
    {"role": "assistant", "tool_calls": [
        call("get_booking", {"booking_id": booking["booking_id"]}), call("get_flight", {"flight_id": "LX318"}, "call_2"),
    ]},
]
both = client.chat.completions.create(model="travel", messages=messages)
results = {result["tool_call_id"]: json.loads(result["content"]) for result in json.loads(both.choices[0].message.content)}
assert results["call_1"]["booking"]["passengers"] == ["A", "B"], results
assert results["call_2"]["seats"] == 10, results
assert client.chat.completions.create(model="travel", messages=messages).choices == both.choices

# The same over a stream.
chunks = list(client.chat.completions.create(
    model="travel", messages=messages, stream=True, stream_options={"include_usage": True}))
text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
assert text == both.choices[0].message.content, text
assert chunks[-1].choices == [] and chunks[-1].usage.total_tokens > 0, chunks[-1]
assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"

# A session of the server, and a call that is retried.
in_session = {"model": "travel", "messages": messages[:2], "extra_body": {"session_id": "openai-1"}}
first = client.chat.completions.create(**in_session).choices[0].message.content
assert client.chat.completions.create(**in_session).choices[0].message.content == first

# Tools that the request brings.
tools = [openai.pydantic_function_tool(type("create_task", (BaseModel,), {"__annotations__": {"title": str}, "__doc__": "Create a task."})),
         openai.pydantic_function_tool(type("list_tasks", (BaseModel,), {"__doc__": "List all tasks."}))]
made = [{"role": "assistant", "tool_calls": [call("create_task", {"title": "Water the plants"})]}]
made += [{"role": "tool", "tool_call_id": "call_1",
          "content": client.chat.completions.create(model="gtm", tools=tools, messages=made).choices[0].message.content},
         {"role": "assistant", "tool_calls": [call("list_tasks", {})]}]
listed = client.chat.completions.create(model="gtm", tools=tools, messages=made).choices[0].message.content
assert "Water the plants" in listed, listed


# A value of a schema.
class Invoice(BaseModel):
    number: str
    total: float
    paid: bool


invoice = client.chat.completions.parse(
    model="gtm", messages=[{"role": "user", "content": "An invoice."}], response_format=Invoice).choices[0].message.parsed
assert isinstance(invoice, Invoice), invoice

# There is no agent here.
try:
    client.chat.completions.create(model="travel", messages=[{"role": "user", "content": "Hi!"}])
    raise AssertionError("an answer to what is no tool call")
except openai.BadRequestError as error:
    assert error.param == "messages" and "tool call" in error.message, error
print("ok")
