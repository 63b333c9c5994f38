"""Which passwords are taken, and how they are kept."""

import pytest
from argon2 import PasswordHasher

from webapp.auth import passwords
from webapp.auth.passwords import Passwords
from webapp.errors import InvalidInput

GOOD = "blue-lantern-42-harbour"


@pytest.mark.parametrize(
    "password", [GOOD, "x y" * 9 + "Zürich 北京", "correct horse battery staple", "a7" * 3 + GOOD]
)
def test_a_long_uncommon_password_is_taken(password):
    passwords.check(password, "ada")


def test_the_longest_password_has_128_characters():
    password = (GOOD * 6)[:128]
    passwords.check(password, "ada")
    with pytest.raises(InvalidInput, match="at most 128"):
        passwords.check(password + "x", "ada")


def test_the_shortest_password_has_12_characters():
    passwords.check("kv7-quoz-pim", "ada")
    with pytest.raises(InvalidInput, match="at least 12"):
        passwords.check("kv7-quoz-pi", "ada")


@pytest.mark.parametrize(
    "password",
    [
        "password1234",
        "Password123!",
        "123456789012",
        "qwertyuiop12",
        "aaaaaaaaaaaa",
        "LetMeInLetMeIn",
        "unbelievable",
    ],
)
def test_a_password_that_is_tried_first_is_refused(password):
    with pytest.raises(InvalidInput, match="among the first") as raised:
        passwords.check(password, "ada")
    assert raised.value.field == "password"


def test_a_common_word_is_refused_however_it_is_written(monkeypatch):
    monkeypatch.setattr(passwords, "zxcvbn", lambda *_: {"score": 4})
    with pytest.raises(InvalidInput, match="among the first"):
        passwords.check("UnBelievable", "ada")


def test_a_password_with_the_user_name_is_refused():
    with pytest.raises(InvalidInput, match="user name"):
        passwords.check("xk-GRACE-8-lantern", "grace")


def test_passwords_are_kept_as_argon2id_with_the_recommended_cost():
    stored = Passwords().hash(GOOD)
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert GOOD not in stored


def test_only_the_password_matches():
    keeper = Passwords(cheap=True)
    stored = keeper.hash(GOOD)
    assert keeper.matches(GOOD, stored)
    assert not keeper.matches(GOOD + "x", stored)


def test_a_broken_hash_matches_nothing():
    assert not Passwords(cheap=True).matches(GOOD, "not a hash")


def test_nobody_has_the_decoy_password():
    assert not Passwords(cheap=True).matches("nobody has this password", None)


def test_an_unknown_account_costs_one_hash_like_a_known_one(monkeypatch):
    keeper = Passwords(cheap=True)
    stored = keeper.hash(GOOD)
    verified = []
    monkeypatch.setattr(keeper, "_hasher", _Recorder(verified))
    keeper.matches("wrong", stored)
    keeper.matches("wrong", None)
    parameters = [hashed.rpartition("$")[0].rpartition("$")[0] for hashed in verified]
    assert len(parameters) == 2
    assert parameters[0] == parameters[1]


def test_a_hash_with_other_parameters_is_outdated():
    keeper = Passwords(cheap=True)
    assert keeper.is_outdated(PasswordHasher(time_cost=3, memory_cost=8, parallelism=1).hash(GOOD))
    assert not keeper.is_outdated(keeper.hash(GOOD))


class _Recorder:
    """Notes what was verified, and finds nothing right."""

    def __init__(self, verified):
        self.verified = verified

    def verify(self, stored, _password):
        self.verified.append(stored)
        return False
