"""The WSGI application (`app:app`) and the home of the `tiny-forge` command."""

from webapp.cli import main

__all__ = ["main"]


def __getattr__(name: str) -> object:
    """Build the application when a server asks for it, and not for every command."""
    if name == "app":
        from webapp import create_app

        return globals().setdefault("app", create_app())
    raise AttributeError(name)


if __name__ == "__main__":
    main()
