from reportlab.graphics import renderPDF
from reportlab.graphics.shapes import Circle, Drawing
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.platypus import Paragraph, SimpleDocTemplate

drawing = Drawing(100, 100)
drawing.add(Circle(50, 50, 40))
SimpleDocTemplate("report.pdf").build([Paragraph("A <b>report</b>", getSampleStyleSheet()["Normal"]), drawing])
renderPDF.drawToFile(drawing, "circle.pdf")
assert open("report.pdf", "rb").read(5) == open("circle.pdf", "rb").read(5) == b"%PDF-"
