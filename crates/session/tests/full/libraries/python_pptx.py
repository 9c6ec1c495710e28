from pptx import Presentation

deck = Presentation()
deck.slides.add_slide(deck.slide_layouts[0]).shapes.title.text = "Title"
deck.save("deck.pptx")
assert Presentation("deck.pptx").slides[0].shapes.title.text == "Title"
