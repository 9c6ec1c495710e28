import openpyxl

book = openpyxl.Workbook()
book.active.append(["name", "count"])
book.active.append(["tea", 3])
book.save("book.xlsx")
assert [cell.value for cell in openpyxl.load_workbook("book.xlsx").active[2]] == ["tea", 3]
