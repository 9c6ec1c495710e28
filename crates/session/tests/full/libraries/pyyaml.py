import yaml

assert yaml.safe_load("a: [1, 2]\nb: {c: yes}") == {"a": [1, 2], "b": {"c": True}}
assert yaml.__with_libyaml__
