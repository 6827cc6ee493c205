"""An MCP server of some notes, with the Python SDK: `notes_server.py [PORT]`, over stdio without a port."""
import sys

from pydantic import BaseModel

try:
    from mcp.server.fastmcp import Context, FastMCP
except ImportError:  # The SDK's next major version renames it.
    from mcp.server.mcpserver import Context, MCPServer as FastMCP

options = {"host": "127.0.0.1", "port": int(sys.argv[1])} if len(sys.argv) > 1 else {}
server = FastMCP("notes", **options)
notes: dict[str, str] = {}


class Note(BaseModel):
    id: str
    text: str


@server.tool()
def add_note(text: str, api_key: str = "") -> Note:
    """Adds a note."""
    note = Note(id=f"note-{len(notes) + 1}", text=text)
    notes[note.id] = text
    return note


@server.tool()
def get_note(id: str) -> Note:
    """Reads a note."""
    if id not in notes:
        raise ValueError(f"there is no note {id}")
    return Note(id=id, text=notes[id])


@server.tool(structured_output=False)
def say(text: str) -> str:
    """Says something, in plain text."""
    return f"you said {text}"


@server.tool(structured_output=False)
def pieces() -> list:
    """Says two things."""
    return ["one", "two"]


@server.tool()
async def count(to: int, ctx: Context) -> int:
    """Counts, and tells how far it is."""
    for n in range(to):
        await ctx.report_progress(n + 1, to)
    return to


server.run(transport="streamable-http" if options else "stdio")
