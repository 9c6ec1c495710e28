import xlwt

book = xlwt.Workbook()
book.add_sheet("first").write(0, 0, "text", xlwt.easyxf("font: bold on"))
book.save("old.xls")
assert open("old.xls", "rb").read(4) == b"\xd0\xcf\x11\xe0"
