"""What the test button says of the permissions that the account at Nginx Proxy Manager has."""

import pytest

from tests.settings.filled import NPM_PASSWORD


@pytest.mark.parametrize(
    ("permissions", "message"),
    [
        ({"proxy_hosts": "view"}, "may not manage proxy hosts"),
        ({"visibility": "user"}, "sees only its own hosts"),
    ],
)
def test_a_missing_permission_of_the_account_is_named(press, filled, npm, permissions, message):
    npm.add_user("plain@example.com", NPM_PASSWORD, **permissions)
    found = press("test/npm", filled | {"npm_email": "plain@example.com"})
    assert message in found
    assert "chip-bad" in found


def test_an_account_that_cannot_request_certificates_is_good_all_the_same(press, filled, npm):
    npm.add_user(
        "plain@example.com", NPM_PASSWORD, proxy_hosts="manage", certificates="view", visibility="all"
    )
    found = press("test/npm", filled | {"npm_email": "plain@example.com"})
    assert ("cannot request certificates" in found, "chip-bad" in found) == (True, False)
