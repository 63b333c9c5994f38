"""Filters and order of the record list in the Cloudflare stand-in."""

from collections.abc import Callable, Iterator
from typing import Any

from webapp.sandbox.cloudflare_answers import Refused
from webapp.sandbox.cloudflare_records import Record, Records
from webapp.sandbox.server import Request

Test = Callable[[Record], bool]

TEXTS = frozenset({"name", "content", "comment"})
ORDERS = frozenset({"type", "name", "content", "ttl", "proxied"})
_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "": str.__eq__,
    "exact": str.__eq__,
    "contains": str.__contains__,
    "startswith": str.startswith,
    "endswith": str.endswith,
}


def listed(records: Records, request: Request) -> list[Record]:
    """The records the query selects, in the order it asks for."""
    tests = list(_tests(request))
    matches_any = request.first("match", "all") == "any"
    chosen = _candidates(records, request, matches_any)
    if tests:
        every = any if matches_any else all
        chosen = [record for record in chosen if every(test(record) for test in tests)]
    return _ordered(records.in_order(chosen), request)


def _candidates(records: Records, request: Request, matches_any: bool) -> list[Record]:
    """What can match at all: an exact name is looked up, so that a big zone is not searched."""
    name = request.first("name") or request.first("name.exact")
    if name and not matches_any:
        return records.named(name.lower())
    return list(records)


def _ordered(chosen: list[Record], request: Request) -> list[Record]:
    order = request.first("order", "type")
    if order not in ORDERS:
        raise Refused(1004)
    return sorted(chosen, key=lambda record: record[order], reverse=request.first("direction") == "desc")


def _tests(request: Request) -> Iterator[Test]:
    """One test for each filter of the query; those for tags are one together."""
    tag_tests = []
    for parameter, values in request.query.items():
        field, _, operator = parameter.partition(".")
        if field == "tag":
            tag_tests.append(_tag_test(operator, values[0].lower()))
        elif field in TEXTS:
            yield _text_test(field, operator, values[0].lower())
        elif parameter in ("type", "proxied"):
            yield _plain_test(parameter, values[0])
    if tag_tests:
        every = any if request.first("tag_match") == "any" else all
        yield lambda record: every(test(record) for test in tag_tests)


def _plain_test(field: str, wanted: str) -> Test:
    value: Any = wanted if field == "type" else wanted == "true"
    return lambda record: bool(record[field] == value)


def _text_test(field: str, operator: str, wanted: str) -> Test:
    if field == "comment" and operator in ("present", "absent"):
        return lambda record: bool(record["comment"]) == (operator == "present")
    if operator not in _OPERATORS:
        raise Refused(1004)
    compare = _OPERATORS[operator]
    return lambda record: compare((record[field] or "").lower(), wanted)


def _tag_test(operator: str, wanted: str) -> Test:
    """`name:value` with an operator on the value; only a name asks whether the tag is there."""
    name, colon, value = wanted.partition(":")
    if operator in ("present", "absent") or not (colon or operator):
        return lambda record: (name in dict(_tags(record))) == (operator != "absent")
    if operator not in _OPERATORS:
        raise Refused(1004)
    compare = _OPERATORS[operator]
    return lambda record: any(n == name and compare(v, value) for n, v in _tags(record))


def _tags(record: Record) -> Iterator[tuple[str, str]]:
    for tag in record["tags"]:
        name, _, value = tag.lower().partition(":")
        yield name, value
