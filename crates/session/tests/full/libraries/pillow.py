from PIL import Image, ImageFilter

Image.new("RGB", (40, 20), "red").filter(ImageFilter.BLUR).resize((20, 10)).save("red.jpg")
with Image.open("red.jpg") as image:
    assert (image.format, image.size) == ("JPEG", (20, 10)) and image.getpixel((5, 5))[0] > 250
