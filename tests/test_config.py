"""The environment: every variable, its file, and a message with its name when it cannot be used."""

import stat

import pytest

from webapp.config import CLOUDFLARE_API_URL, Config, kept_secret_key, make_data_dir
from webapp.errors import InvalidInput


@pytest.fixture
def read(tmp_path):
    """The configuration under the given variables."""
    return lambda **env: Config.from_env({"TINY_FORGE_DATA_DIR": str(tmp_path / "data")} | env)


def test_the_defaults_are_safe(read, tmp_path):
    config = read()
    assert config.database_url == f"sqlite:///{tmp_path}/data/tiny-forge.sqlite3"
    assert config.cloudflare_api_url == CLOUDFLARE_API_URL
    assert (config.allowed_hosts, config.trusted_proxies, config.proxy_count) == ((), (), 1)
    assert (config.secure_cookies, config.sandbox, config.testing) == (False, False, False)
    assert (config.admin_user, config.admin_password, config.check_every) == (None, None, 600)


def test_everything_can_be_set(read):
    config = read(
        TINY_FORGE_SECRET_KEY="k" * 40, DATABASE_URL="sqlite:////tmp/x", CLOUDFLARE_API_URL="http://cf.test/v4/",
        TINY_FORGE_ALLOWED_HOSTS="a.example, b.example", TINY_FORGE_TRUSTED_PROXIES="10.0.0.1 10.0.0.2",
        TINY_FORGE_PROXY_COUNT="2", TINY_FORGE_SECURE_COOKIES="Yes", TINY_FORGE_ADMIN_USER="ada",
        TINY_FORGE_ADMIN_PASSWORD="secret", TINY_FORGE_CHECK_EVERY="60",
        TINY_FORGE_NAME_SERVERS="192.0.2.53 192.0.2.53:5353 [2001:db8::53]", TINY_FORGE_ADDRESS_SOURCES="http://a http://b",
    )  # fmt: skip
    assert (config.secret_key, config.database_url) == ("k" * 40, "sqlite:////tmp/x")
    assert config.cloudflare_api_url == "http://cf.test/v4"
    assert config.allowed_hosts == ("a.example", "b.example")
    assert config.trusted_proxies == ("10.0.0.1", "10.0.0.2")
    assert (config.proxy_count, config.secure_cookies, config.check_every) == (2, True, 60)
    assert (config.admin_user, config.admin_password) == ("ada", "secret")
    assert config.name_servers == ("192.0.2.53:53", "192.0.2.53:5353", "[2001:db8::53]:53")
    assert config.address_sources == ("http://a", "http://b")


def test_the_real_environment_is_the_default(monkeypatch, tmp_path):
    monkeypatch.setenv("TINY_FORGE_DATA_DIR", str(tmp_path / "from-env"))
    assert Config.from_env().data_dir == tmp_path / "from-env"


def test_a_value_can_be_in_a_file(read, tmp_path):
    file = tmp_path / "password"
    file.write_text("from a file\n")
    assert read(TINY_FORGE_ADMIN_PASSWORD_FILE=str(file)).admin_password == "from a file"


def test_a_file_that_is_missing_is_named(read):
    with pytest.raises(InvalidInput, match=r"DATABASE_URL_FILE: /no/such/file cannot be read"):
        read(DATABASE_URL_FILE="/no/such/file")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TINY_FORGE_PROXY_COUNT", "0"),
        ("TINY_FORGE_PROXY_COUNT", "many"),
        ("TINY_FORGE_PROXY_COUNT", "²"),
        ("TINY_FORGE_CHECK_EVERY", "9"),
        ("TINY_FORGE_CHECK_EVERY", "-60"),
        ("TINY_FORGE_CHECK_EVERY", ""),
        ("TINY_FORGE_SECURE_COOKIES", "perhaps"),
        ("TINY_FORGE_NAME_SERVERS", "ns1.example.net"),
        ("TINY_FORGE_NAME_SERVERS", "192.0.2.53:dns"),
        ("TINY_FORGE_ADDRESS_SOURCES", "http://only.one.example"),
        ("TINY_FORGE_ADDRESS_SOURCES", "http://a.example ftp://b.example"),
        ("TINY_FORGE_ADDRESS_SOURCES", "http://a.example/1 http://a.example/2"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(read, name, value):
    with pytest.raises(InvalidInput, match=name):
        read(**{name: value})


@pytest.mark.parametrize(
    ("text", "value"), [("1", True), ("on", True), ("TRUE", True), ("off", False), ("0", False)]
)
def test_switches_take_the_usual_words(read, text, value):
    assert read(TINY_FORGE_SECURE_COOKIES=text).secure_cookies is value


def test_the_key_is_made_once_and_is_for_the_owner_only(read, tmp_path):
    first = read().secret_key
    assert len(first) >= 40
    assert read().secret_key == first
    file = tmp_path / "data" / "secret-key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_two_installations_have_two_keys(tmp_path):
    keys = set()
    for name in "ab":
        make_data_dir(tmp_path / name)
        keys.add(kept_secret_key(tmp_path / name))
    assert len(keys) == 2


def test_an_empty_key_file_is_no_key(read, tmp_path):
    make_data_dir(tmp_path / "data")
    (tmp_path / "data" / "secret-key").write_text("\n")
    with pytest.raises(InvalidInput, match=r"secret-key is empty"):
        read()


def test_no_secret_is_in_the_printed_form(read):
    config = read(TINY_FORGE_SECRET_KEY="k" * 40, TINY_FORGE_ADMIN_USER="a", TINY_FORGE_ADMIN_PASSWORD="hush")
    assert "kkkk" not in repr(config)
    assert "hush" not in repr(config)


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_data_directory_that_cannot_be_is_named(tmp_path, place):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InvalidInput, match=r"cannot be written.*TINY_FORGE_DATA_DIR"):
        make_data_dir(tmp_path / place)


def test_the_write_test_leaves_nothing_behind(tmp_path):
    make_data_dir(tmp_path / "data")
    assert list((tmp_path / "data").iterdir()) == []
