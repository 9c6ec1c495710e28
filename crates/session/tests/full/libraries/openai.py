# The service is not here: the client is, and this answers it.
import httpx
import openai


def answer(request):
    assert request.url.path == "/v1/chat/completions"
    choice = {"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}
    return httpx.Response(200, json={"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]})


transport = httpx.Client(transport=httpx.MockTransport(answer))
client = openai.OpenAI(api_key="none", base_url="http://x/v1", http_client=transport)
told = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}])
assert told.choices[0].message.content == "hello"
