"""A visit to a public name: what counts as proof that it leads here, and what does not."""

from collections.abc import Callable, Iterator

import pytest
import requests

from webapp.dns import visit as visit_module
from webapp.dns.live import Liveness, Verdict
from webapp.dns.proof import Proof, proof_for
from webapp.dns.visit import THERE, prove
from webapp.sandbox.server import Failure, Reply, Request, StandIn

PROOF = Proof("app.example.com", "/.well-known/tiny-forge/0123abcd", "tiny-forge 4567")
SECURE = "https://app.example.com/.well-known/tiny-forge/0123abcd"


class Site(StandIn):
    """Answers every request the same way."""

    reply = Reply(200, PROOF.text.encode())

    def handle(self, _request: Request) -> Reply:
        return self.reply


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as site:
        yield site


Visit = Callable[[], Verdict]


@pytest.fixture
def visit(site: Site) -> Visit:
    return lambda: prove(PROOF, ["203.0.113.1"], ("127.0.0.1", site.port))


def test_the_proof_is_asked_for_under_the_public_name(site: Site, visit: Visit) -> None:
    assert visit() == THERE
    ((request, _),) = site.log
    assert (request.headers["host"], request.path) == (PROOF.host, PROOF.path)


@pytest.mark.parametrize("body", [b"tiny-forge 4568", b"<html>hello</html>", b"x" * 5000, b""])
def test_another_text_means_that_somebody_else_answers(site: Site, visit: Visit, body: bytes) -> None:
    site.reply = Reply(200, body)
    assert visit().liveness is Liveness.WRONG


@pytest.mark.parametrize("status", [404, 401, 502, 522])
def test_no_proof_is_no_verdict_against_it_yet(site: Site, visit: Visit, status: int) -> None:
    site.reply = Reply(status, b"")
    assert visit() == Verdict(
        Liveness.NOT_YET, f"app.example.com answers HTTP {status} where the proof should be."
    )


@pytest.mark.parametrize(
    "location",
    [
        "https://evil.example.com/", "http://app.example.com/other", "/other", "https://app.example.com:8443/",
        "https://app.example.com:port/", "//app.example.com/",
    ],
)  # fmt: skip
def test_a_redirect_to_anywhere_else_is_not_followed(site: Site, visit: Visit, location: str) -> None:
    site.reply = Reply(302, b"", {"Location": location})
    assert visit().message == "app.example.com answers HTTP 302 where the proof should be."
    assert len([status for _, status in site.log if status]) == 1


def test_a_redirect_to_https_at_the_same_name_is_followed(site: Site, visit: Visit, requests_mock) -> None:  # type: ignore[no-untyped-def]
    requests_mock.get(f"http://{PROOF.host}{PROOF.path}", status_code=301, headers={"Location": SECURE})
    requests_mock.get(SECURE, text=PROOF.text + "\n")
    assert visit() == THERE


def test_a_name_that_only_serves_https_is_asked_there(visit: Visit, requests_mock) -> None:  # type: ignore[no-untyped-def]
    requests_mock.get(f"http://{PROOF.host}{PROOF.path}", status_code=404)
    requests_mock.get(SECURE, text=PROOF.text)
    assert visit() == THERE


def test_redirects_in_a_circle_end(visit: Visit, requests_mock) -> None:  # type: ignore[no-untyped-def]
    around = {"status_code": 301, "headers": {"Location": SECURE}}
    requests_mock.get(f"http://{PROOF.host}{PROOF.path}", **around)
    requests_mock.get(SECURE, **around)
    assert visit().message == "app.example.com answers HTTP 301 where the proof should be."


@pytest.mark.parametrize("failure", [Failure.RESET_BEFORE, Failure.HANG_BEFORE])
def test_no_answer_leaves_it_unknown(
    site: Site, visit: Visit, failure: Failure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visit_module, "PATIENCE", (0.2, 0.2))
    site.fail(failure, times=4, seconds=1)
    verdict = visit()
    assert verdict.liveness is Liveness.UNKNOWN
    assert verdict.message.startswith("app.example.com could not be visited: no ")


def test_a_bad_certificate_is_told(visit: Visit, requests_mock) -> None:  # type: ignore[no-untyped-def]
    requests_mock.get(f"http://{PROOF.host}{PROOF.path}", exc=requests.ConnectionError)
    requests_mock.get(SECURE, exc=requests.exceptions.SSLError)
    assert visit().liveness is Liveness.UNKNOWN


def test_the_next_address_is_tried_and_no_name_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[object] = []
    answers = iter([Verdict(Liveness.UNKNOWN, "no")] * 2 + [THERE])
    monkeypatch.setattr(
        visit_module, "_visit", lambda _url, _proof, place: (tried.append(place), next(answers))[1]
    )
    assert prove(PROOF, ["203.0.113.1", "203.0.113.2", "2001:db8::3"]) == THERE
    assert tried == [("203.0.113.1", None)] * 2 + [("2001:db8::3", None)]


def test_a_name_without_an_address_cannot_be_visited() -> None:
    assert prove(PROOF, []).message == "app.example.com has no address to be visited at."


@pytest.mark.usefixtures("context")
class TestProofs:
    def test_each_name_has_a_place_and_a_text_of_its_own(self) -> None:
        one, two = proof_for("app.example.com"), proof_for("b.example.com")
        assert one == proof_for("app.example.com")
        assert {one.path, one.text}.isdisjoint({two.path, two.text})
        assert one.host == "app.example.com"

    def test_a_wildcard_is_proven_by_a_name_of_nobody_else(self) -> None:
        proof = proof_for("*.example.com")
        assert proof.host.startswith("forge-")
        assert proof.host.endswith(".example.com")
