import docx

document = docx.Document()
document.add_heading("Title", 1)
document.add_table(1, 2).rows[0].cells[1].text = "cell"
document.save("text.docx")
again = docx.Document("text.docx")
assert again.paragraphs[0].style.name == "Heading 1" and again.tables[0].cell(0, 1).text == "cell"
