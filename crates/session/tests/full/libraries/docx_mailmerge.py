import docx
import docx.oxml
from mailmerge import MailMerge

document = docx.Document()
field = docx.oxml.parse_xml(
    '<w:fldSimple xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    ' w:instr=" MERGEFIELD name "><w:r><w:t>«name»</w:t></w:r></w:fldSimple>'
)
document.add_paragraph("Dear ")._p.append(field)
document.save("letter.docx")
with MailMerge("letter.docx") as letter:
    assert letter.get_merge_fields() == {"name"}
    letter.merge(name="Ada")
    letter.write("merged.docx")
assert "Dear Ada" in docx.Document("merged.docx").paragraphs[0].text
