import svgwrite

drawing = svgwrite.Drawing("plan.svg", size=(100, 100))
drawing.add(drawing.rect((10, 10), (50, 50), fill="red"))
drawing.save()
assert 'fill="red"' in open("plan.svg").read()
