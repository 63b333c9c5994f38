"""Another site cannot use the session of a visitor, even with a token."""

import pytest

FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
    {"Sec-Fetch-Site": ""},
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": "https://localhost"},
    {"Origin": "http://localhost:8080"},
    {"Origin": "http://localhost.evil.example"},
    {"Origin": "http://[broken"},
    {"Referer": "http://evil.example/http://localhost/"},
    {"Referer": "about:blank"},
]
OWN = [
    {},
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": "same-origin", "Origin": "https://panel.example.org"},
    {"Origin": "http://localhost"},
    {"Origin": "http://localhost:80"},
    {"Referer": "http://localhost/account"},
]


@pytest.mark.parametrize("headers", FOREIGN)
def test_a_change_from_another_origin_is_refused(client, headers):
    response = client.post("/sign-out", headers=headers)
    assert response.status_code == 403
    assert "Another site sent this request" in response.text
    assert client.get("/").status_code == 200


@pytest.mark.parametrize("headers", OWN)
def test_a_change_from_the_panel_is_made(client, headers):
    assert client.post("/sign-out", headers=headers).status_code == 303
    assert client.get("/").status_code == 303


@pytest.mark.parametrize("headers", FOREIGN)
def test_a_link_from_another_site_may_be_followed(client, headers):
    assert client.get("/", headers=headers).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_no_method_that_changes_something_is_left_out(client, method):
    assert client.open(method, "/account", headers={"Origin": "http://evil.example"}).status_code == 403


def test_a_refusal_is_logged(client, caplog):
    client.post("/sign-out", headers={"Origin": "http://evil.example"})
    assert "refused: POST auth.sign_out from another origin" in caplog.messages
