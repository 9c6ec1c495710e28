import ujson

assert ujson.loads(ujson.dumps({"a": [1, 2.5, None]})) == {"a": [1, 2.5, None]}
