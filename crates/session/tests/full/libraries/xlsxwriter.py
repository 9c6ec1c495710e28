import openpyxl
import xlsxwriter

with xlsxwriter.Workbook("chart.xlsx") as book:
    sheet = book.add_worksheet("data")
    sheet.write_column("A1", [1, 4, 9])
    chart = book.add_chart({"type": "line"})
    chart.add_series({"values": "=data!$A$1:$A$3"})
    sheet.insert_chart("C1", chart)
assert [row[0].value for row in openpyxl.load_workbook("chart.xlsx")["data"]["A1:A3"]] == [1, 4, 9]
