"""What browsers get from others is exactly what was vendored, and complete."""

from hashlib import sha256
from pathlib import Path

VENDOR = Path(__file__).parents[2] / "static" / "vendor"


def listed():
    lines = (VENDOR / "SHA256SUMS").read_text().splitlines()
    return {name: digest for digest, name in (line.split() for line in lines)}


def test_vendored_files_are_unchanged():
    assert {name: sha256((VENDOR / name).read_bytes()).hexdigest() for name in listed()} == listed()


def test_no_vendored_code_is_unlisted():
    found = {str(path.relative_to(VENDOR)) for path in VENDOR.rglob("*") if path.suffix in {".js", ".css"}}
    assert found == set(listed())


def test_every_vendored_thing_has_its_licence():
    for folder in {name.split("/")[0] for name in listed()}:
        assert list((VENDOR / folder).glob("LICENSE*")) or "license" in _start(folder).lower()


def _start(folder):
    return next((VENDOR / folder).glob("*.min.*")).read_text()[:500]


def test_nothing_vendored_is_fetched_from_elsewhere():
    for name in listed():
        text = (VENDOR / name).read_text()
        assert "@import" not in text
        assert "url(http" not in text
        assert "url(//" not in text
        assert "sourceMappingURL=http" not in text
