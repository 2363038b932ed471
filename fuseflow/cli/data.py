"""``fuseflow data``: what data sets there are, and getting the real ones."""

import os
from pathlib import Path
from typing import Annotated

import typer

from fuseflow.cli.failures import reported
from fuseflow.cli.options import not_empty
from fuseflow.cli.output import print_table

app = typer.Typer(help="Data sets: what there is, and getting the real ones.", no_args_is_help=True)


@app.command("list")
@reported
def data_list() -> None:
    """List the data sets, and whether the real one or a synthetic twin would be used."""
    from rich.table import Table

    from fuseflow.datasets import table
    from fuseflow.datasets.graph import DIRECTORY_VARIABLE
    from fuseflow.datasets.images import IMAGES

    folder = os.environ.get(DIRECTORY_VARIABLE)
    shown = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("name", "nodes", "stored edges", "features", "classes", "licence", "used here"):
        shown.add_column(name, justify="right" if name in ("nodes", "stored edges", "features", "classes") else "left")
    for row in table().to_dict("records"):
        name = str(row["name"])
        real = name == "karate" or (folder is not None and os.path.lexists(Path(folder) / f"{name}.npz"))
        sizes = [f"{row[column]:,}" for column in ("nodes", "stored_edges", "features", "classes")]
        shown.add_row(name, *sizes, str(row["licence"]), "real data" if real else "synthetic twin")
    print_table(shown)
    place = f"{DIRECTORY_VARIABLE} is {folder}" if folder else f"{DIRECTORY_VARIABLE} is not set"
    typer.echo(f"\n{place}; real graphs are read from NAME.npz in the folder that it names.\n")
    pictures = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("name", "pixels", "licence", "used here"):
        pictures.add_column(name, justify="right" if name == "pixels" else "left")
    for image in IMAGES.values():
        used = "noise, or your pictures: sae --folder"
        pictures.add_row(image.name, f"{image.side:,}x{image.side:,}", image.licence, used)
    print_table(pictures)


@app.command("fetch")
@reported
def data_fetch(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Data set.", show_default=False)],
    to: Annotated[
        str,
        typer.Option("--to", metavar="DIR", envvar="FUSEFLOW_DATA", callback=not_empty, help="Folder for NAME.npz."),
    ] = ".",
) -> None:
    """Download a real data set from its publisher, check it and convert it."""
    from fuseflow.datasets import fetch
    from fuseflow.datasets.graph import DIRECTORY_VARIABLE

    path = fetch(name, to)
    typer.echo(f"wrote {path}; it is used when {DIRECTORY_VARIABLE} is {path.parent.resolve()}")
