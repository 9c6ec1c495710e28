if HERE:
    from wand.color import Color
    from wand.image import Image

    with Image(width=40, height=20, background=Color("red")) as image:
        image.rotate(90)
        image.save(filename="red.png")
    with Image(filename="red.png") as image:
        assert image.size == (20, 40) and image[5, 5].red == 1
