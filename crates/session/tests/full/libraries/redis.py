# There is no server here.
import redis

try:
    redis.Redis("127.0.0.1", 1, retry=None).ping()
except redis.ConnectionError as error:
    assert "refused" in str(error).lower()
else:
    raise AssertionError("connected to nothing")
