# Nothing here writes its format; what it reads first is the workbook's list of sheets.
import zipfile

import pyxlsb

with zipfile.ZipFile("empty.xlsb", "w") as archive:
    archive.writestr("xl/workbook.bin", b"")
    archive.writestr("xl/_rels/workbook.bin.rels", "<Relationships/>")
with pyxlsb.open_workbook("empty.xlsb") as book:
    assert book.sheets == []
