from rapidfuzz import fuzz, process

assert fuzz.ratio("cell", "cello") > 85
assert process.extractOne("wrld", ["word", "world", "war"])[0] == "world"
