# There is no server here.
import bson
import pymongo

assert bson.decode(bson.encode({"a": [1, 2]})) == {"a": [1, 2]}
client = pymongo.MongoClient("127.0.0.1", 1, serverSelectionTimeoutMS=200)
try:
    client.admin.command("ping")
except pymongo.errors.ServerSelectionTimeoutError:
    client.close()
else:
    raise AssertionError("connected to nothing")
