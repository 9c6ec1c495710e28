from PyPDF2 import PdfReader
from reportlab.pdfgen.canvas import Canvas

canvas = Canvas("page.pdf")
canvas.drawString(100, 700, "an old friend")
canvas.save()
assert PdfReader("page.pdf").pages[0].extract_text().strip() == "an old friend"
