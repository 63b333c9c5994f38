"""How the releases of Nginx Proxy Manager differ: statuses, wording, booleans, keys that come and go."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from webapp.sandbox.server import Reply

Row = dict[str, Any]


class Refusal(Exception):
    """A request that is not carried out; becomes the JSON error envelope.

    `stack` is shown below /nginx/certificates only; None leaves it out even there.
    """

    def __init__(
        self,
        status: int,
        message: str = "Internal Error",
        i18n: Any = None,
        stack: tuple[str, ...] | None = (),
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.i18n, self.stack = status, message, i18n, stack


@dataclass(frozen=True)
class Dialect:
    """One release. `iso_times` gives the time stamps of a MariaDB installation instead of SQLite's."""

    version: tuple[int, int, int]
    iso_times: bool = False

    @classmethod
    def of(cls, version: str, *, iso_times: bool = False) -> Self:
        """The dialect of a release such as "2.15.1"."""
        major, minor, revision = (int(part) for part in version.split("."))
        return cls((major, minor, revision), iso_times)

    @property
    def ancient(self) -> bool:
        """Up to 2.11: booleans are 0/1, an unknown id is no 404, only the first problem is reported."""
        return self.version < (2, 12)

    @property
    def disguised(self) -> bool:
        """From 2.13: who may not do something is told that the path does not exist."""
        return self.version >= (2, 13)

    @property
    def trusts_forwarded_proto(self) -> bool:
        """Whether hosts have the field `trust_forwarded_proto`."""
        return self.version >= (2, 14)

    def time(self, moment: datetime) -> str:
        """A time stamp as this installation writes it."""
        return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z" if self.iso_times else "%Y-%m-%d %H:%M:%S")

    def row(self, fields: Row) -> Row:
        """A database row as it is sent: time stamps written out; older releases have numbers for booleans."""
        return {key: self._value(value) for key, value in fields.items()}

    def _value(self, value: Any) -> Any:
        if isinstance(value, datetime):
            return self.time(value)
        return int(value) if isinstance(value, bool) and self.ancient else value

    def reply(self, refusal: Refusal, path: str) -> Reply:
        """The error envelope for a request to `path` (without /api)."""
        error: Row = {"code": refusal.status, "message": refusal.message}
        if refusal.status == 500 and self.version < (2, 15):
            del error["code"]
        if refusal.i18n is not None and self.disguised:
            error["message_i18n"] = refusal.i18n
        body: Row = {"error": error}
        if "nginx/certificates" in path and refusal.stack is not None:
            body["debug"] = {"stack": list(refusal.stack) or [f"Error: {refusal.message}"]}
        return Reply(refusal.status, body)

    def not_found(self, what: object) -> Refusal:
        """A missing object (its id) or route (its path)."""
        return Refusal(404, f"{'' if self.disguised else 'Item '}Not Found - {what}")

    def unknown_id(self, number: str, method: str) -> Refusal:
        """The refusal for an object that does not exist, asked for with `method`."""
        if self.ancient:
            return Refusal(400 if method == "PUT" else 500)
        return self.not_found(number)

    def denied(self, method: str, path: str) -> Refusal:
        """The refusal for somebody who may not do this."""
        if not self.disguised:
            return Refusal(403, "Permission Denied")
        if (method, path) == ("POST", "/nginx/proxy-hosts"):
            return Refusal(500)
        return Refusal(404, self.not_found(path).message, stack=None)

    def bad_login(self, *, known: bool) -> Refusal:
        """The refusal for a wrong password (`known`) or an unknown account."""
        message = "Invalid password" if self.ancient else "Invalid email or password"
        return Refusal(400 if self.disguised else 401, message, "error.invalid-auth" if known else None)

    def expired(self, since: datetime) -> Refusal:
        """The refusal for a token whose time is over."""
        story = {
            "name": "TokenExpiredError",
            "message": "jwt expired",
            "expiredAt": since.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        }
        return Refusal(400 if self.disguised else 401, "Token has expired", story)

    def problems(self, found: list[tuple[str, str]]) -> Refusal:
        """The refusal for a body that breaks the schema; `found` holds (path, complaint) pairs."""
        if self.ancient:
            path, complaint = found[0]
            return Refusal(400, f"data{_dotted(path)} {complaint.replace('must', 'should', 1)}")
        return Refusal(400, ", ".join(f"data{path} {complaint}" for path, complaint in found))


def _dotted(path: str) -> str:
    """`/locations/0/path` the old way: `.locations[0].path`."""
    return "".join(f"[{part}]" if part.isdigit() else f".{part}" for part in path.split("/")[1:])
