import pytesseract

if HERE:
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("L", (400, 100), 255)
    ImageDraw.Draw(image).text((20, 20), "HELLO", font=ImageFont.load_default(48), fill=0)
    assert "HELLO" in pytesseract.image_to_string(image)
