from lxml import etree, html

tree = etree.fromstring("<a><b x='1'/><b x='2'/></a>")
assert tree.xpath("//b[@x > 1]/@x") == ["2"] and html.fromstring("<p>a<p>b").xpath("//p/text()") == ["a", "b"]
