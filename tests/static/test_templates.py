"""Templates keep to what the content security policy allows, and work without scripts."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
NAMES = [str(path.relative_to(ROOT / "templates")) for path in TEMPLATES]
TAG = re.compile(r"<(?:[^<>\"'{}]|\"[^\"]*\"|'[^']*'|\{\{.*?\}\}|\{%.*?%\}|\{[^{%])*>", re.DOTALL)

each = pytest.mark.parametrize("path", TEMPLATES, ids=NAMES)


def source(path):
    """The template without its comments."""
    return re.sub(r"\{#.*?#\}", "", path.read_text(), flags=re.DOTALL)


def tags(path, *names):
    return [
        tag for tag in TAG.findall(source(path)) if not names or re.match(rf"<({'|'.join(names)})\b", tag)
    ]


def test_there_are_templates():
    assert len(TEMPLATES) > 15
    assert sum(len(tags(path)) for path in TEMPLATES) > 200


@each
def test_no_inline_style(path):
    assert not re.search(r"\sstyle\s*=", source(path))
    assert "<style" not in source(path)


@each
def test_no_inline_script(path):
    text = source(path)
    assert not [tag for tag in tags(path) if re.search(r"\son\w+\s*=", tag)]
    assert "hx-on" not in text
    assert not re.search(r"\b(js|javascript):", text)
    assert not [tag for tag in tags(path, "script") if " src=" not in tag]


@each
def test_no_trigger_that_needs_eval(path):
    for trigger in re.findall(r"hx-trigger(?::\w+)?=\"([^\"]*)\"", source(path)):
        assert "[" not in trigger


@each
def test_nothing_from_elsewhere(path):
    assert not re.search(r"(src|href)=\"(https?:)?//", source(path))


@each
def test_nothing_is_marked_as_safe(path):
    if path.name != "_icons.html":
        assert not re.search(r"\|\s*safe\b", source(path))
        assert "autoescape false" not in source(path)


@each
def test_headers_on_the_body_reach_its_children(path):
    for tag in tags(path, "body"):
        assert "hx-headers=" not in tag
        assert "hx-headers:inherited=" in tag


@each
def test_what_htmx_posts_works_without_it(path):
    """An element with hx-post is a form with the same action, or a button with the same formaction."""
    for tag in tags(path):
        if target := re.search(r'hx-post="([^"]*(?:\{\{.*?\}\})?[^"]*)"', tag):
            own = re.search(r'\s(?:form)?action="([^"]*(?:\{\{.*?\}\})?[^"]*)"', tag)
            assert own, tag
            assert own[1] == target[1]
            assert tag.startswith("<button") or 'method="post"' in tag


@each
def test_every_posting_form_carries_a_token(path):
    text = source(path)
    for form in re.findall(r"<form[^>]*method=\"post\".*?</form>", text, re.DOTALL):
        assert "csrf" in form


@each
def test_every_polling_element_says_so(path):
    for tag in tags(path):
        if 'hx-trigger="every' in tag:
            assert "X-Poll" in tag


@each
def test_other_tabs_that_are_opened_cannot_reach_back(path):
    for tag in tags(path, "a"):
        assert "_blank" not in tag or "noopener" in tag or "noreferrer" in tag
