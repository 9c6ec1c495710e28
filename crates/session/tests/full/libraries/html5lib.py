import html5lib

tree = html5lib.parse("<p>one<p>two", namespaceHTMLElements=False)
assert [p.text for p in tree.iter("p")] == ["one", "two"]
