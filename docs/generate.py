"""Write the reference pages that follow from the program: command line, keys, measurements.

    python docs/generate.py

A test of the house holds that the pages are what this script writes.
"""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).resolve().parent / "reference"


def main() -> None:
    """Write the pages."""
    (HERE / "command-line.md").write_text(command_line(), encoding="utf-8")
    (HERE / "keys.md").write_text(keys(), encoding="utf-8")
    (HERE / "measurements.md").write_text(measurements(), encoding="utf-8")


def command_line() -> str:
    """Return the page of all verbs with their arguments and options."""
    import click
    import typer.main

    from napari_defectseg.cli.main import app

    root = typer.main.get_command(app)
    parts = [
        "# Command line\n",
        (
            "`defectseg VERB`; `--help` with every verb. Exit status: 0 done, 1 the work failed (one "
            "sentence on stderr), 2 wrong use, 130 stopped by Ctrl-C (the sentence says what was "
            "kept). With `--json` exactly one JSON document is on stdout; progress and messages go "
            "to stderr.\n"
        ),
    ]
    context = click.Context(root, info_name="defectseg")
    for name in root.list_commands(context):
        parts += verb(root.get_command(context, name), f"defectseg {name}", context)
    return "\n".join(parts) + "\n"


def verb(command: object, path: str, parent: object) -> list[str]:
    """Return the paragraphs of one verb, and of those below it."""
    import click

    context = click.Context(command, info_name=path.split()[-1], parent=parent)
    lines = [f"## {path}\n", _flowing(command.help or "") + "\n"]
    if hasattr(command, "list_commands"):
        for name in command.list_commands(context):
            below = verb(command.get_command(context, name), f"{path} {name}", context)
            lines += [below[0].replace("## ", "### "), *below[1:]]
        return lines
    rows = [row for row in map(_row, command.params) if row]
    lines += ["| | |", "| --- | --- |", *rows, ""]
    if command.epilog:
        lines.append(f"`{command.epilog.removeprefix('Example: ').strip()}`\n")
    return lines


def _row(parameter: object) -> str:
    if parameter.name in ("help", "install_completion", "show_completion"):
        return ""
    shown = parameter.metavar or ""
    if parameter.param_type_name == "argument":
        return (
            f"| `{(shown or parameter.name).strip('[]{}.')}` | {_flowing(parameter.help or '')} |"
        )
    shown = shown.replace("|", "\\|")
    names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
    told = _flowing(parameter.help or "")
    return f"| {names} {f'`{shown}`' if shown else ''} | {told} |"


def _flowing(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def keys() -> str:
    """Return the page of all keys."""
    from napari_defectseg.ui.commands import COMMANDS

    places = {"layer": "on label layers", "viewer": "everywhere", "both": "everywhere"}
    rows = [
        f"| `{command.key}` | {command.words} | {places[command.where]} |"
        for command in COMMANDS.values()
    ]
    return "\n".join(
        [
            "# Keys\n",
            (
                "Every key stands in the tooltip of its button, in the command palette by its plain "
                "name, and on the sheet that `F1` opens, where it can be changed. napari's own keys "
                "for drawing keep their meaning: `P` paint, `E` erase, `F` fill, `L` pick, `Z` "
                "pan, `[` and `]` brush size.\n"
            ),
            "| key | does | where |",
            "| --- | --- | --- |",
            *rows,
            "",
        ]
    )


def measurements() -> str:
    """Return the page of all measurements of objects, by group."""
    from napari_defectseg.measurement.columns.measurement import BASIC, MEASUREMENTS
    from napari_defectseg.measurement.settings import GROUPS

    parts = [
        "# Measurements of objects\n",
        (
            "The basic columns are always there. Others are chosen by the group or one by one: "
            "`defectseg measure --columns surface,feret_max`, in Python "
            '`measure_regions(labels, settings=MeasureSettings(columns=("surface",)))`; `all` '
            "chooses everything. Lengths have the unit of the pixel size, or px. How right they "
            "are: [accuracy](accuracy.md).\n"
        ),
    ]
    units = {
        "pixel": "px",
        "length": "length",
        "square": "length²",
        "size": "area, volume",
        "angle": "rad",
        "degree": "°",
    }
    for group, words in ((BASIC, "always measured"), *GROUPS):
        parts += [f"## {group}\n", f"{words[:1].upper()}{words[1:]}.\n"]
        parts += ["| column | unit | in | what it is |", "| --- | --- | --- | --- |"]
        for item in map(MEASUREMENTS.get, MEASUREMENTS.names()):
            if item.group == group:
                where = "2D, 3D" if len(item.dims) == 2 else f"{item.dims[0]}D"
                told = _flowing(item.definition)
                parts.append(f"| `{item.name}` | {units.get(item.kind, '')} | {where} | {told} |")
        parts.append("")
    return "\n".join(parts)


if __name__ == "__main__":
    main()
