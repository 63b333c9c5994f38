"""What an app may ask for: each kind of word, and folders of the machine."""

import os
import socket

import pytest

from webapp.deploy import power
from webapp.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "repository", "tag"),
    [
        ("nginx", "nginx", "latest"),
        ("nginx:1.27", "nginx", "1.27"),
        (" ghcr.io/owner/app:v1 ", "ghcr.io/owner/app", "v1"),
        ("127.0.0.1:5000/acme/web", "127.0.0.1:5000/acme/web", "latest"),
        ("127.0.0.1:5000/acme/web:V1_b.c-d", "127.0.0.1:5000/acme/web", "V1_b.c-d"),
        ("localhost/app", "localhost/app", "latest"),
        ("registry:5000/app", "registry:5000/app", "latest"),
        ("[2001:db8::1]:5000/app:v1", "[2001:db8::1]:5000/app", "v1"),
        ("owner/my-app__x.y", "owner/my-app__x.y", "latest"),
        ("Registry.example.com/app", "Registry.example.com/app", "latest"),
    ],
)
def test_an_image_is_read_as_repository_and_tag(text, repository, tag):
    assert power.parse_image(text) == (repository, tag)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "-nginx", "nginx:", "nginx:-v1", "nginx:v 1", "ngi nx", "https://ghcr.io/app", "ghcr.io/Owner/app",
        "app@sha256:" + "a" * 64, "a" * 64, "/app", "app/", "a//b", "ghcr.io/", "ghcr.io:port/app", "a..b/c/d",
        "-.io/app", "app___x", "a" * 300, "app:" + "t" * 129, "app\nx", "../app", "$(id)", "app;x", "app:v1\x00",
    ],
)  # fmt: skip
def test_what_is_no_image_is_refused(text):
    with pytest.raises(InvalidInput):
        power.parse_image(text)


@pytest.mark.parametrize(
    ("parse", "good", "bad"),
    [
        (power.parse_env_key, ["PORT", "_x", "discovery.type"], ["", "1A", "A=B", "A B", "A\nB", "ä", "A" * 256]),
        (power.parse_volume_name, ["blog-data", "a1"], ["", "a", "/data", "-a", "a/b", "a b", "..", "a" * 129]),
        (power.parse_container_name, ["forge-1"], ["", "-a", "a b", " ab", "a/b"]),
        (
            power.parse_network,
            ["proxy", "npm_default"],
            ["", "host", "HOST", "none", "bridge", "default", "container:x", "a" * 64, "-x", "a/b"],
        ),
        (
            power.parse_label_key,
            ["traefik.enable", "traefik.http.routers.x.tls.domains[0].main", "com.example/x"],
            ["", "tiny-forge.install", "Tiny-Forge.app", "a b", ".a", "a\nb", "a=b"],
        ),
        (
            power.parse_mount_target,
            ["/data", "/var/lib/app"],
            [
                "", "/", "data", "/a/../b", "/./a", "/proc", "/proc/x", "/sys", "/dev/x", "/a:b", "//a", "/a\nb",
                "/a" * 150,
            ],
        ),
        (power.parse_tag, ["v1", "_x"], ["", ".x", "-x", "a b", "a/b"]),
    ],
)  # fmt: skip
def test_words_are_taken_or_refused_by_their_kind(parse, good, bad):
    assert [parse(text) for text in good] == good
    for text in bad:
        with pytest.raises(InvalidInput):
            parse(text)


def test_a_final_slash_is_taken_from_a_mount_target():
    assert power.parse_mount_target("/data/") == "/data"


def test_the_value_of_a_variable_is_never_repeated():
    with pytest.raises(InvalidInput) as caught:
        power.parse_env_value("s3cret\0")
    assert "s3cret" not in caught.value.message
    assert power.parse_env_value("two\nlines") == "two\nlines"


def test_hostile_text_is_shown_plain_and_cut():
    with pytest.raises(InvalidInput) as caught:
        power.parse_volume_name("\x1b[31m" + "x" * 500)
    assert "\x1b" not in caught.value.message
    assert len(caught.value.message) < 300


@pytest.fixture
def base(tmp_path):
    base = tmp_path / "binds"
    (base / "blog").mkdir(parents=True)
    return base


def test_a_folder_below_the_allowed_one_is_taken_by_its_real_path(base):
    (base / "link").symlink_to(base / "blog")
    assert power.parse_bind_source(str(base / "link"), base) == str(base / "blog")


def test_the_allowed_folder_may_be_reached_through_a_link(base, tmp_path):
    (tmp_path / "alias").symlink_to(base)
    assert power.parse_bind_source(str(tmp_path / "alias" / "blog"), tmp_path / "alias") == str(base / "blog")


def test_without_an_allowed_folder_none_is_taken(base):
    with pytest.raises(InvalidInput):
        power.parse_bind_source(str(base / "blog"), None)


@pytest.mark.parametrize(
    "text", ["", "blog", "/etc", "/", "{base}", "{base}/../other", "{base}/none", "{base}/out", "{base}-2"]
)
def test_everything_outside_and_what_is_not_there_is_refused(base, tmp_path, text):
    (tmp_path / "other").mkdir()
    (tmp_path / "binds-2").mkdir()
    (base / "out").symlink_to("/etc")
    with pytest.raises(InvalidInput):
        power.parse_bind_source(text.format(base=base), base)


def test_a_link_that_leads_to_itself_is_refused(base):
    (base / "loop").symlink_to(base / "loop")
    with pytest.raises(InvalidInput):
        power.parse_bind_source(str(base / "loop"), base)


def test_sockets_and_pipes_are_refused(base, monkeypatch):
    monkeypatch.chdir(base)
    os.mkfifo("pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("s.sock")
        for name in ("pipe", "s.sock"):
            with pytest.raises(InvalidInput):
                power.parse_bind_source(str(base / name), base)


def test_the_folder_of_the_engines_socket_is_refused_wherever_the_allowed_one_is():
    with pytest.raises(InvalidInput):
        power.parse_bind_source("/run", power.Path("/"))
