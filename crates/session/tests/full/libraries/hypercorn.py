import asyncio

import httpx
from hypercorn.asyncio import serve
from hypercorn.config import Config


async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"served"})


config = Config()
config.bind = ["127.0.0.1:8182"]
config.lifespan = "off"
stop = asyncio.Event()
server = asyncio.create_task(serve(app, config, shutdown_trigger=stop.wait))
async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(retries=5)) as client:
    assert (await client.get("http://127.0.0.1:8182/")).text == "served"
stop.set()
await server
