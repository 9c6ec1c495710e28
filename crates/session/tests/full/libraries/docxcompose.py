import docx
from docxcompose.composer import Composer

for name in ("one", "two"):
    document = docx.Document()
    document.add_paragraph(name)
    document.save(f"{name}.docx")
composer = Composer(docx.Document("one.docx"))
composer.append(docx.Document("two.docx"))
composer.save("both.docx")
assert [paragraph.text for paragraph in docx.Document("both.docx").paragraphs] == ["one", "two"]
