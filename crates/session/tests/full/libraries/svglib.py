from reportlab.graphics import renderPDF
from svglib.svglib import svg2rlg

with open("circle.svg", "w") as file:
    file.write('<svg xmlns="http://www.w3.org/2000/svg" width="90" height="60"><circle cx="30" cy="30" r="20"/></svg>')
drawing = svg2rlg("circle.svg")
renderPDF.drawToFile(drawing, "circle.pdf")
assert (drawing.width, drawing.height) == (90, 60) or drawing.width / drawing.height == 1.5
