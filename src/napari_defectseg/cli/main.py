"""``defectseg VERB``: the command line."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from napari_defectseg.cli import (
    compare,
    dataset,
    demo,
    diff,
    doctor,
    evaluate,
    export,
    measure,
    open,  # noqa: A004 - the verb's name
    phantom,
    predict,
    report,
    rerun,
    sample,
    train,
    view,
)
from napari_defectseg.cli import run as run_verb
from napari_defectseg.cli.work import DONE, STOPPED

ORDER = (
    "open", "predict", "measure", "evaluate", "dataset", "train", "run",
    "report", "compare", "rerun", "diff",
    "export", "phantom", "sample", "demo", "view", "doctor",
)  # fmt: skip
"""Verbs as they stand in the help: in the order of work."""


class InOrder(TyperGroup):
    """Verbs in the order of `ORDER`."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of the verbs."""
        return sorted(self.commands, key=ORDER.index)


app = typer.Typer(
    name="defectseg",
    cls=InOrder,
    help="Find, correct and measure defects in micrographs and tomograms.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.command("open", epilog=open.EXAMPLE)(open.open_)
app.command("predict", epilog=predict.EXAMPLE)(predict.predict)
app.command("measure", epilog=measure.EXAMPLE)(measure.measure)
app.command("evaluate", epilog=evaluate.EXAMPLE)(evaluate.evaluate)
app.add_typer(dataset.app, name="dataset")
app.command("train", epilog=train.EXAMPLE)(train.train)
app.command("run", epilog=run_verb.EXAMPLE)(run_verb.run)
app.command("report", epilog=report.EXAMPLE)(report.report)
app.command("compare", epilog=compare.EXAMPLE)(compare.compare)
app.command("rerun", epilog=rerun.EXAMPLE)(rerun.rerun)
app.command("diff", epilog=diff.EXAMPLE)(diff.diff)
app.command("export", epilog=export.EXAMPLE)(export.export)
app.command("phantom", epilog=phantom.EXAMPLE)(phantom.phantom)
app.command("sample", epilog=sample.EXAMPLE)(sample.sample)
app.command("demo", epilog=demo.EXAMPLE)(demo.demo)
app.command("view", epilog=view.EXAMPLE)(view.view)
app.command("doctor", epilog=doctor.EXAMPLE)(doctor.doctor)


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


if __name__ == "__main__":
    main()
