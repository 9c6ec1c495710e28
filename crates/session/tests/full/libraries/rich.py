import io

from rich.console import Console
from rich.table import Table

table = Table("name", "count")
table.add_row("tea", "3")
console = Console(file=io.StringIO(), width=40)
console.print(table)
assert "│ tea  │ 3     │" in console.file.getvalue()
