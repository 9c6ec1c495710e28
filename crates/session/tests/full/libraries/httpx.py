import httpx

client = httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(200, json={"path": request.url.path})))
assert client.get("http://x/where").json() == {"path": "/where"}
