import pypdfium2
from reportlab.pdfgen.canvas import Canvas

canvas = Canvas("page.pdf", pagesize=(200, 100))
canvas.rect(0, 0, 100, 100, fill=1)
canvas.save()
image = pypdfium2.PdfDocument("page.pdf")[0].render(scale=1).to_pil()
assert image.size == (200, 100) and image.getpixel((50, 50)) != image.getpixel((150, 50))
