"""Secrets at rest: sealed, and of no use without the key."""

import pytest

from webapp import vault
from webapp.errors import KeyLost
from webapp.vault import Vault


@pytest.mark.parametrize("text", ["", "a token", "pässwörd", "x" * 10_000])
def test_what_is_sealed_comes_back(text):
    sealed = Vault("key").seal(text)
    assert Vault("key").unseal(sealed) == text
    assert not text or text not in sealed


def test_the_same_text_is_never_sealed_the_same_way():
    box = Vault("key")
    assert box.seal("a") != box.seal("a")


@pytest.mark.parametrize("spoil", [lambda s: s[:-4] + "AAAA", lambda s: "", lambda s: s[10:]])
def test_what_was_changed_is_refused(spoil):
    with pytest.raises(KeyLost):
        Vault("key").unseal(spoil(Vault("key").seal("a")))


def test_another_key_opens_nothing():
    with pytest.raises(KeyLost, match="Restore the old key, or enter the secret again"):
        Vault("another").unseal(Vault("key").seal("a"))


def test_the_running_app_has_one(context, config):
    assert vault.unseal(vault.seal("a")) == "a"
    assert Vault(config.secret_key).unseal(vault.seal("b")) == "b"


def test_a_fingerprint_is_the_same_each_time_and_another_for_every_key_text_and_purpose():
    made = {(k, p, t): Vault(k).fingerprint(p, t) for k in "ab" for p in "pq" for t in "xy"}
    assert len(set(made.values())) == len(made) == 8
    assert Vault("a").fingerprint("p", "x") == made["a", "p", "x"]
