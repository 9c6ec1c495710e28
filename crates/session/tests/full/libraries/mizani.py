from mizani.breaks import breaks_extended
from mizani.labels import label_percent

assert list(breaks_extended()((0, 100))) == [0, 25, 50, 75, 100]
assert label_percent()([0.25]) == ["25%"]
