import fpdf
from pdfminer.high_level import extract_text

pdf = fpdf.FPDF()
pdf.add_page()
pdf.set_font("helvetica", size=12)
pdf.cell(text="to be mined")
pdf.output("page.pdf")
assert "to be mined" in extract_text("page.pdf")
