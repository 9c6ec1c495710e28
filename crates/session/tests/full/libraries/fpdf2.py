import fpdf
import pypdf

pdf = fpdf.FPDF()
pdf.add_page()
pdf.set_font("helvetica", size=12)
pdf.cell(text="written by fpdf")
pdf.output("page.pdf")
assert "written by fpdf" in pypdf.PdfReader("page.pdf").pages[0].extract_text()
