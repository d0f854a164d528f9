"""``defectseg VERB``: the command line."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from napari_defectseg.cli import dataset, measure, phantom
from napari_defectseg.cli.work import DONE, STOPPED

app = typer.Typer(
    name="defectseg",
    help="Find, correct and measure defects in micrographs and tomograms.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.command("measure", epilog=measure.EXAMPLE)(measure.measure)
app.command("phantom", epilog=phantom.EXAMPLE)(phantom.phantom)
app.add_typer(dataset.app, name="dataset")


def _version(asked: bool) -> None:
    if asked:
        from napari_defectseg import __version__

        typer.echo(f"napari-defectseg {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    pass


def run(arguments: list[str] | None = None) -> int:
    """Run one verb and return the exit status."""
    try:
        app(args=arguments, prog_name="defectseg")
    except KeyboardInterrupt:
        typer.echo("Stopped.", err=True)
        return STOPPED
    except SystemExit as left:
        return left.code if isinstance(left.code, int) else int(left.code is not None)
    return DONE


def main() -> None:
    """Run the command line and leave with its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    sys.exit(run())
