import click
from click.testing import CliRunner


@click.command()
@click.option("--times", default=1)
def hello(times):
    click.echo("hi " * times)


assert CliRunner().invoke(hello, ["--times", "2"]).output == "hi hi \n"
