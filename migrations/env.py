"""Runs migrations over the panel's own database connection."""

from alembic import context
from flask import current_app

database = current_app.extensions["migrate"].db


def run() -> None:
    """Apply the scripts in `versions`; SQLite tables are copied where it cannot alter them."""
    with database.engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=database.metadata,
            render_as_batch=True,
            render_item=render_item,
            compare_type=False,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()


def render_item(kind: str, item: object, _context: object) -> str | bool:
    """Our own column types as what they are in the database."""
    name = type(item).__name__
    if kind == "type" and name == "UtcDateTime":
        return "sa.DateTime()"
    if kind == "type" and name == "Choice":
        return "sa.String(length=16)"
    return False


run()
