import jsonschema

schema = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
jsonschema.validate({"name": "x"}, schema)
errors = list(jsonschema.Draft202012Validator(schema).iter_errors({"name": 3}))
assert [error.json_path for error in errors] == ["$.name"]
