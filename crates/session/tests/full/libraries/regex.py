import regex

assert regex.findall(r"\p{Lu}\p{Ll}+", "Ärzte und Übung") == ["Ärzte", "Übung"]
assert regex.fullmatch(r"(?:cats){e<=1}", "cuts")
