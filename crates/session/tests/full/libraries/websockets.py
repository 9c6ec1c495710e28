import websockets


async def echo(socket):
    async for message in socket:
        await socket.send(message[::-1])


async with websockets.serve(echo, "127.0.0.1", 8184):
    async with websockets.connect("ws://127.0.0.1:8184", proxy=None) as socket:
        await socket.send("abc")
        assert await socket.recv() == "cba"
