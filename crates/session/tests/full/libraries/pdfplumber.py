import pdfplumber
from reportlab.lib import colors
from reportlab.platypus import SimpleDocTemplate, Table

table = Table([["name", "count"], ["tea", "3"]], style=[("GRID", (0, 0), (-1, -1), 1, colors.black)])
SimpleDocTemplate("table.pdf").build([table])
with pdfplumber.open("table.pdf") as pdf:
    assert pdf.pages[0].extract_table() == [["name", "count"], ["tea", "3"]]
