import pypdf
from reportlab.pdfgen.canvas import Canvas

canvas = Canvas("pages.pdf")
for number in range(3):
    canvas.drawString(100, 700, f"page {number}")
    canvas.showPage()
canvas.save()
writer = pypdf.PdfWriter()
writer.append("pages.pdf", pages=(1, 3))
writer.encrypt("secret", algorithm="AES-256")
writer.write("part.pdf")
part = pypdf.PdfReader("part.pdf", password="secret")
assert [page.extract_text().strip() for page in part.pages] == ["page 1", "page 2"]
