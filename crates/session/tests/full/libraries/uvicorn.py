import threading
import time

import httpx
import uvicorn


async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"served"})


server = uvicorn.Server(uvicorn.Config(app, port=8183, log_level="error", lifespan="off"))
thread = threading.Thread(target=server.run)
thread.start()
while not server.started:
    time.sleep(0.01)
assert httpx.get("http://127.0.0.1:8183/").text == "served"
server.should_exit = True
thread.join()
