import aiohttp
from aiohttp import web


async def hello(request):
    return web.json_response({"hello": request.query["name"]})


app = web.Application()
app.router.add_get("/", hello)
runner = web.AppRunner(app)
await runner.setup()
site = web.TCPSite(runner, "127.0.0.1", 8181)
await site.start()
async with aiohttp.ClientSession() as session:
    async with session.get("http://127.0.0.1:8181/?name=cell") as answer:
        assert await answer.json() == {"hello": "cell"}
await runner.cleanup()
