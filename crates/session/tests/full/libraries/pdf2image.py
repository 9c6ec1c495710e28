import fpdf
import pdf2image

if HERE:
    pdf = fpdf.FPDF()
    pdf.add_page(format=(100, 50))
    pdf.output("page.pdf")
    (image,) = pdf2image.convert_from_path("page.pdf", dpi=72)
    assert image.size == (284, 142), image.size
