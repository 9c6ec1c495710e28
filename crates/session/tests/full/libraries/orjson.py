import orjson

assert orjson.loads(orjson.dumps({"b": [1, 2.5], "a": None}, option=orjson.OPT_SORT_KEYS)) == {"a": None, "b": [1, 2.5]}
