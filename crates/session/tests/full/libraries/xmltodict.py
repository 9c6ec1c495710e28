import xmltodict

assert xmltodict.parse("<a><b>1</b><b>2</b></a>") == {"a": {"b": ["1", "2"]}}
