import docx
import docx2txt

document = docx.Document()
document.add_paragraph("some words")
document.save("words.docx")
assert docx2txt.process("words.docx").strip() == "some words"
