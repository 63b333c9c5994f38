"""The login to Nginx Proxy Manager: a token kept while it is good, and renewed when it turns out not to be."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from webapp.errors import ProxyError
from webapp.proxy.npm_transport import Answer, Lost, NotAllowed, Transport

# A login is good for a day in every release. Counted by our clock, so that a wrong one over there does no harm.
_GOOD_FOR = timedelta(hours=24)
_RENEW_AFTER = timedelta(hours=23)
_ME = "/users/me?expand=permissions"


class Connection:
    """Talks to NPM as one account. `email` may be shown, the password never is."""

    def __init__(
        self, transport: Transport, email: str, password: str, clock: Callable[[], datetime]
    ) -> None:
        self.transport = transport
        self.email = email
        self._password = password
        self._clock = clock
        self._token = ""
        self._since = datetime.min.replace(tzinfo=UTC)

    def call(
        self, method: str, path: str, body: Any = None, *, timeout: tuple[float, float] | None = None
    ) -> Answer:
        """Send a request as the account; logs in again, once, when the token turns out to be no good.

        `timeout` is for what takes longer than other requests.

        Raises ProxyError, and Lost for a change whose outcome is unknown.
        """
        changing = method != "GET"
        answer = self.transport.send(method, path, body, self._bearer(), changing=changing, timeout=timeout)
        if not answer.doubtful or self._token_is_good(changing):
            return answer
        # A bad token is refused before anything is done, so the request may be repeated.
        self._log_in()
        return self.transport.send(method, path, body, self._token, changing=changing, timeout=timeout)

    def public(self, path: str) -> Answer:
        """Read something that needs no login. Raises ProxyError."""
        return self.transport.send("GET", path, None, "")

    def me(self) -> Answer:
        """The account and its permissions. Raises ProxyError."""
        return self.call("GET", _ME)

    def _token_is_good(self, changing: bool) -> bool:
        try:
            return self.transport.send("GET", _ME, None, self._token).status == 200
        except ProxyError as error:
            if changing:
                raise Lost(timed_out=False) from error
            raise

    def _bearer(self) -> str:
        age = self._clock() - self._since
        if not self._token or age >= _GOOD_FOR or (age >= _RENEW_AFTER and not self._renewed()):
            self._log_in()
        return self._token

    def _renewed(self) -> bool:
        return self._keep(self.transport.send("GET", "/tokens", None, self._token))

    def _log_in(self) -> None:
        answer = self.transport.send(
            "POST", "/tokens", {"identity": self.email, "secret": self._password}, ""
        )
        if self._keep(answer):
            return
        if answer.status == 200 and isinstance(answer.data, dict) and answer.data.get("requires_2fa"):
            raise ProxyError(
                f"The account {self.email} uses two-factor login, which a program cannot answer. "
                "Use an account of Nginx Proxy Manager without it."
            )
        if answer.status in (400, 401):
            raise NotAllowed(
                f"Nginx Proxy Manager refused the e-mail address or password of {self.email}. "
                "Enter them again in the settings."
            )
        if answer.status == 404:
            raise self.transport.not_npm()
        raise ProxyError(f"Nginx Proxy Manager could not log {self.email} in just now.", will_heal=True)

    def _keep(self, answer: Answer) -> bool:
        """Remember the token of a login, if there is one."""
        token = answer.data.get("token") if answer.status == 200 and isinstance(answer.data, dict) else None
        if not isinstance(token, str):
            return False
        self._token, self._since = token, self._clock()
        return True
