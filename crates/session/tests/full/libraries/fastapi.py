import fastapi
from fastapi.testclient import TestClient

app = fastapi.FastAPI()


@app.get("/double/{number}")
def double(number: int):
    return {"double": number * 2}


client = TestClient(app)
assert client.get("/double/21").json() == {"double": 42} and client.get("/double/x").status_code == 422
