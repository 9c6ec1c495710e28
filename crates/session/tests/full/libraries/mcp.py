import asyncio

from mcp import Client
from mcp.server import MCPServer

server = MCPServer("sums")


@server.tool()
def add(a: int, b: int) -> int:
    return a + b


async def ask():
    async with Client(server) as client:
        return await client.call_tool("add", {"a": 2, "b": 3})


assert "5" in str((await ask()).content)
