"""Every way a change can go wrong, in every release: the report is honest, and a second attempt finishes it."""

import pytest

from tests.proxy.npm_world import OURS, SPEC, client, spec, stand_in
from webapp.errors import ProxyError
from webapp.sandbox.server import Failure, Reply

pytestmark = pytest.mark.matrix

PATIENCE = {"write_timeout": (2, 0.3)}
MOVED = spec(forward_port=81)
OFF = spec(enabled=False)

# What is there before, the change, and the request that fails.
CHANGES = {
    "create": (None, SPEC, ("POST", "/proxy-hosts")),
    "change": (SPEC, MOVED, ("PUT", "/proxy-hosts/1")),
    "enable": (OFF, SPEC, ("POST", "/enable")),
    "disable": (SPEC, OFF, ("POST", "/disable")),
    "delete": (SPEC, None, ("DELETE", "/proxy-hosts/1")),
}


@pytest.fixture(params=["2.9.22", "2.15.1"])
def npm(request):
    with stand_in(request.param) as npm:
        yield npm


def attempt(npm, wish):
    """Make the world as wished: None is no host."""
    ours = client(npm, **PATIENCE)
    present = next((host.id for host in ours.list_hosts()), None)
    if wish is None:
        return present is None or ours.delete_host(present)
    return ours.create_host(wish, OURS) if present is None else ours.update_host(present, wish, OURS)


def outcome(npm, wish):
    """The error an attempt ends in, None when it reports success."""
    try:
        attempt(npm, wish)
    except ProxyError as error:
        return error
    return None


def state(npm):
    """What counts: the rows without what NPM adds, and what is live."""
    rows = [
        (r["domain_names"], r["forward_port"], r["enabled"], r["meta"]["tiny_forge"]) for r in npm.hosts()
    ]
    return rows, npm.served()


def arranged(npm, change, failure, **options):
    """The world before a change, with the failure armed; returns the wish."""
    before, wish, (method, end) = CHANGES[change]
    if before is not None:
        attempt(npm, before)
    npm.fail(failure, matches=lambda r: r.method == method and r.path.endswith(end), seconds=1, **options)
    return wish


def wished(wish):
    """The state in which nothing is left to do."""
    if wish is None:
        return [], set()
    mark = {"install": "install-1", "consumer": "standalone", "id": 7}
    return [([wish.domain], wish.forward_port, wish.enabled, mark)], {wish.domain} if wish.enabled else set()


@pytest.mark.parametrize("failure", Failure)
@pytest.mark.parametrize("change", CHANGES)
def test_a_failure_is_reported_as_what_it_did(npm, change, failure):
    wish = arranged(npm, change, failure)
    before = state(npm)
    error = outcome(npm, wish)
    if error is None:
        assert state(npm) == wished(wish)
    else:
        assert error.will_heal
        assert error.unconfirmed or state(npm) == before


@pytest.mark.parametrize("failure", Failure)
@pytest.mark.parametrize("change", CHANGES)
def test_a_second_attempt_finishes_what_the_first_left(npm, change, failure):
    wish = arranged(npm, change, failure)
    if outcome(npm, wish) is not None:
        attempt(npm, wish)
    assert state(npm) == wished(wish)


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_that_was_made_without_an_answer_needs_no_second_attempt(npm, change):
    wish = arranged(npm, change, Failure.RESET_AFTER)
    attempt(npm, wish)
    assert state(npm) == wished(wish)


@pytest.mark.parametrize("change", CHANGES)
def test_when_the_look_afterwards_fails_too_the_change_is_unconfirmed(npm, change):
    wish = arranged(npm, change, Failure.RESET_AFTER)
    first = npm.faults[-1]
    npm.fail(Failure.RESET_BEFORE, matches=lambda r: r.method == "GET" and first.times == 0)
    with pytest.raises(ProxyError, match="could not confirm") as caught:
        attempt(npm, wish)
    assert caught.value.unconfirmed


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_whose_error_cannot_be_explained_is_looked_for(npm, change):
    wish = arranged(npm, change, Failure.ANSWER_AFTER)
    first = npm.faults[-1]
    npm.fail(Failure.RESET_BEFORE, matches=lambda r: r.path.endswith("/users/me") and first.times == 0)
    attempt(npm, wish)
    assert state(npm) == wished(wish)


@pytest.mark.parametrize("change", CHANGES)
def test_a_502_page_during_a_change_leaves_it_to_be_tried_again(npm, change):
    wish = arranged(npm, change, Failure.ANSWER, reply=Reply(502, "<html>Bad Gateway</html>"))
    with pytest.raises(ProxyError) as caught:
        attempt(npm, wish)
    assert caught.value.will_heal


@pytest.mark.parametrize("change", ["create", "change", "enable"])
def test_while_nginx_is_broken_elsewhere_a_change_is_blocked_and_heals_later(npm, change):
    wish = arranged(npm, change, Failure.ANSWER, times=0)
    npm.nginx_broken = True
    for _attempt in range(2):
        with pytest.raises(ProxyError, match="another site"):
            attempt(npm, wish)
    npm.nginx_broken = False
    attempt(npm, wish)
    assert state(npm) == wished(wish)


@pytest.mark.parametrize("failure", Failure)
def test_a_list_that_cannot_be_read_is_never_an_empty_one(npm, failure):
    npm.host_by_hand("other.example.com")
    ours = client(npm, read_timeout=(2, 0.3))
    npm.fail(failure, matches=lambda r: r.path.endswith("/proxy-hosts"), seconds=1)
    with pytest.raises(ProxyError) as caught:
        ours.list_hosts()
    assert caught.value.will_heal
    assert not caught.value.unconfirmed
