import openpyxl
from markitdown import MarkItDown

book = openpyxl.Workbook()
book.active.append(["name", "count"])
book.active.append(["tea", 3])
book.save("book.xlsx")
assert "| tea | 3 |" in MarkItDown().convert("book.xlsx").markdown
