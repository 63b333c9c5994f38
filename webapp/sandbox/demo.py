"""`tiny-forge demo`: placeholder until the story is written."""

import click


@click.command()
def demo() -> None:
    """Tell the main story on the terminal, with stand-ins."""
