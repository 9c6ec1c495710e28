# There is no server here.
import psycopg2

try:
    psycopg2.connect(host="127.0.0.1", port=1, connect_timeout=1)
except psycopg2.OperationalError as error:
    assert "refused" in str(error)
else:
    raise AssertionError("connected to nothing")
