"""Every error the panel raises on purpose, each with one sentence that an operator can act on."""

from collections.abc import Iterable
from datetime import timedelta


class ForgeError(Exception):
    """Something the panel knows how to explain.

    ::

        ForgeError
        |- InvalidInput      422  the person can mend it; may name the field
        |- NotFound          404
        |- Busy              409  somebody else holds it
        |  '- Stale               the page shows something that has changed since
        |- RecklessPlan      409  too much would change without anybody having asked for it
        |- ProviderError     502
        |  |- Outage              waiting helps; stops the round
        |  |- Denied              waiting does not help; stops the round
        |  '- Rejected            this record only
        |- ProxyError        502  Nginx Proxy Manager
        |- EngineError       502  the container engine
        '- KeyLost           500  a stored secret cannot be read with the present key

    Two questions decide everything: will waiting help, and is the next record worth trying?
    """

    status = 500

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidInput(ForgeError):
    """What was entered cannot be used; `field` names the form field, if there is one."""

    status = 422

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class NotFound(ForgeError):
    """There is no such thing (any more)."""

    status = 404


class Busy(ForgeError):
    """Somebody else holds it, or it changed since the page was opened."""

    status = 409


class Stale(Busy):
    """The page shows something that has changed since."""


class RecklessPlan(ForgeError):
    """A plan would delete or change more than anybody asked for; it waits for a person."""

    status = 409


class ProviderError(ForgeError):
    """The DNS provider did not do what was asked; `codes` are its own error numbers."""

    status = 502

    def __init__(self, message: str, codes: Iterable[int] = ()) -> None:
        super().__init__(message)
        self.codes = frozenset(codes)


class Outage(ProviderError):
    """Waiting helps: no answer, an unreadable one, a rate limit or a fault at the provider.

    `retry_after` is what the provider asked for, if it did. `unconfirmed` says that a change may have
    been made all the same.
    """

    def __init__(
        self, message: str, retry_after: timedelta | None = None, codes: Iterable[int] = (), *,
        unconfirmed: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(message, codes)
        self.retry_after = retry_after
        self.unconfirmed = unconfirmed


class Denied(ProviderError):
    """Waiting does not help: the credentials are wrong or lack a permission."""


class Rejected(ProviderError):
    """The provider refuses this one record; others are worth trying."""


class ProxyError(ForgeError):
    """Nginx Proxy Manager did not do what was asked.

    `will_heal`: waiting may help. `unconfirmed`: a change may have been made all the same.
    """

    status = 502

    def __init__(self, message: str, *, will_heal: bool = False, unconfirmed: bool = False) -> None:
        super().__init__(message)
        self.will_heal = will_heal
        self.unconfirmed = unconfirmed


class EngineError(ForgeError):
    """The container engine did not do what was asked; `will_heal`: waiting may help."""

    status = 502

    def __init__(self, message: str, *, will_heal: bool = False) -> None:
        super().__init__(message)
        self.will_heal = will_heal


class KeyLost(ForgeError):
    """A stored secret was encrypted with another key than the one in use."""

    def __init__(self, what: str = "A stored secret") -> None:
        super().__init__(
            f"{what} cannot be read: the secret key has changed since it was saved. "
            "Restore the old key, or enter the secret again."
        )
