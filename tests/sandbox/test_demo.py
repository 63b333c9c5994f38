"""The story that `tiny-forge demo` tells."""

import functools

import pytest
from click.testing import CliRunner

from webapp.cli import group

pytestmark = pytest.mark.matrix


@functools.cache
def told() -> list[str]:
    """The lines of one telling."""
    result = CliRunner().invoke(group, ["demo"])
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


def test_every_step_comes_true_and_what_was_there_before_stays() -> None:
    lines = told()
    assert sum(line.startswith("> ") for line in lines) == 15
    assert "  + Cloudflare           A app.example.com -> 203.0.113.10" in lines
    assert "  - Nginx Proxy Manager  blog.example.com -> http://192.168.1.20:2368" in lines
    assert "  + Nginx Proxy Manager  journal.example.com -> http://192.168.1.20:2368" in lines
    end = lines.index("What was there before the panel came is as it was:")
    assert [line.strip() for line in lines[end + 1 :]] == [
        "Cloudflare           A www.example.com -> 198.51.100.7",
        "Cloudflare           MX example.com -> mail.example.net",
        "Docker               somebody-elses-database runs",
        "Nginx Proxy Manager  www.example.com -> http://198.51.100.7:80",
    ]


def test_the_wildcard_step_removes_exactly_our_records() -> None:
    lines = told()
    start = lines.index("> Switch to the wildcard: our records go")
    assert lines[start + 1 : start + 3] == [
        "  - Cloudflare           A app.example.com -> 203.0.113.10",
        "  - Cloudflare           A journal.example.com -> 203.0.113.10",
    ]


def test_a_version_that_never_gets_healthy_changes_nothing() -> None:
    lines = told()
    start = lines.index("> Deploy v3-broken: it never gets healthy")
    assert lines[start + 1] == "    nothing changed outside"
