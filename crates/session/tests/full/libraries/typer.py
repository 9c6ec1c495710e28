import typer
from typer.testing import CliRunner

app = typer.Typer()


@app.command()
def hello(name: str, shout: bool = False):
    print(name.upper() if shout else name)


assert CliRunner().invoke(app, ["you", "--shout"]).stdout == "YOU\n"
