import xlrd
import xlwt

book = xlwt.Workbook()
book.add_sheet("first").write(1, 2, 3.5)
book.save("old.xls")
assert xlrd.open_workbook("old.xls").sheet_by_name("first").cell_value(1, 2) == 3.5
