"""The part of JSON Schema that Nginx Proxy Manager's bodies need, with its coercions and its wording."""

import re
from collections.abc import Iterator
from typing import Any

from webapp.sandbox.npm_dialect import Dialect, Row

Problem = tuple[str, str]

_STRICT_DOMAIN = r"""^[^&| @!#%^();:/\\}{=+?<>,~`'"]+$"""
_LOOSE_DOMAIN = r"^(?:\*\.)?(?:[^.*]+\.?)+[^.]$"
_SCHEME = {"type": "string", "enum": ["http", "https"]}
_NAME = {"type": "string", "minLength": 1, "maxLength": 255}
_PORT = {"type": "integer", "minimum": 1, "maximum": 65535}
_TEXT = {"type": "string"}
_FLAG = {"type": "boolean"}
_NUMBER = {"type": "integer", "minimum": 0}
_FLAGS = [
    "ssl_forced",
    "hsts_enabled",
    "hsts_subdomains",
    "http2_support",
    "block_exploits",
    "caching_enabled",
    "allow_websocket_upgrade",
    "enabled",
]


def domain_list(dialect: Dialect) -> Row:
    """The schema of a `domain_names` list."""
    pattern = _LOOSE_DOMAIN if dialect.ancient else _STRICT_DOMAIN
    size = {} if dialect.ancient else {"minItems": 1}
    return {
        "type": "array",
        **size,
        "maxItems": 100,
        "uniqueItems": True,
        "items": {**_TEXT, "pattern": pattern},
    }


def proxy_host(dialect: Dialect, *, creating: bool) -> Row:
    """The schema for creating or changing a proxy host."""
    location = {
        "type": "object",
        "required": ["forward_scheme", "forward_host", "forward_port", "path"],
        "additionalProperties": False,
        "properties": {
            "id": {},
            "path": {**_TEXT, "minLength": 1},
            "forward_scheme": _SCHEME,
            "forward_host": _NAME,
            "forward_port": _PORT,
            "forward_path": _TEXT,
            "advanced_config": _TEXT,
        },
    }
    properties: Row = {
        "domain_names": domain_list(dialect),
        "forward_scheme": _SCHEME,
        "forward_host": _NAME,
        "forward_port": _PORT,
        "certificate_id": {"anyOf": [_NUMBER, {**_TEXT, "pattern": "^new$"}]},
        **dict.fromkeys(_FLAGS, _FLAG),
        "access_list_id": _NUMBER,
        "advanced_config": _TEXT,
        "meta": {"type": "object"},
        "locations": {"type": "array", "items": location},
    }
    if dialect.trusts_forwarded_proto:
        properties["trust_forwarded_proto"] = _FLAG
    schema = {"type": "object", "additionalProperties": False, "properties": properties}
    if creating:
        return {**schema, "required": ["domain_names", "forward_scheme", "forward_host", "forward_port"]}
    return schema if dialect.ancient else {**schema, "minProperties": 1}


def certificate(dialect: Dialect) -> Row:
    """The schema for asking for a certificate."""
    meta: Row = {"dns_challenge": _FLAG, "dns_provider": _TEXT, "dns_provider_credentials": _TEXT}
    meta |= {"propagation_seconds": _NUMBER, "key_type": {**_TEXT, "enum": ["rsa", "ecdsa"]}}
    if not dialect.disguised:
        meta |= {"letsencrypt_email": _TEXT, "letsencrypt_agree": _FLAG}
    properties = {
        "provider": {**_TEXT, "pattern": "^(letsencrypt|other)$"},
        "nice_name": _TEXT,
        "domain_names": {**domain_list(dialect), "minItems": 0},
        "meta": {"type": "object", "additionalProperties": False, "properties": meta},
    }
    return {
        "type": "object",
        "required": ["provider"],
        "additionalProperties": False,
        "properties": properties,
    }


def login(dialect: Dialect) -> Row:
    """The schema of a login."""
    properties: Row = {"identity": {**_TEXT, "minLength": 1}, "secret": {**_TEXT, "minLength": 1}}
    properties["scope"] = {**_TEXT, "enum": ["user"]}
    if dialect.ancient:
        properties["expiry"] = _TEXT
    required = ["identity", "secret"]
    return {"type": "object", "required": required, "additionalProperties": False, "properties": properties}


def checked(data: Any, schema: Row, dialect: Dialect) -> Row:
    """The body with its types coerced. Raises Refusal (400) when it breaks the schema."""
    value, problems = _examine(data, schema, "")
    if problems:
        raise dialect.problems(problems)
    return dict(value)


def _examine(data: Any, schema: Row, path: str) -> tuple[Any, list[Problem]]:
    if "anyOf" in schema:
        return _any_of(data, schema["anyOf"], path)
    kind = schema.get("type")
    try:
        value = _coerced(data, kind)
    except ValueError:
        return data, [(path, f"must be {kind}")]
    if isinstance(value, dict):
        return _examine_object(value, schema, path)
    if isinstance(value, list):
        return _examine_list(value, schema, path)
    return value, [(path, complaint) for complaint in _scalar_complaints(value, schema)]


def _any_of(data: Any, branches: list[Row], path: str) -> tuple[Any, list[Problem]]:
    everything: list[Problem] = []
    for branch in branches:
        value, problems = _examine(data, branch, path)
        if not problems:
            return value, []
        everything += problems
    return data, [*everything, (path, "must match a schema in anyOf")]


def _examine_object(value: Row, schema: Row, path: str) -> tuple[Row, list[Problem]]:
    properties: Row | None = schema.get("properties")
    required = schema.get("required", [])
    problems = [(path, f"must have required property '{key}'") for key in required if key not in value]
    if len(value) < schema.get("minProperties", 0):
        problems.append((path, f"must NOT have fewer than {schema['minProperties']} properties"))
    if properties is None:
        return value, problems
    problems += [(path, "must NOT have additional properties") for key in value if key not in properties]
    result = dict(value)
    for key in (key for key in properties if key in value):
        result[key], more = _examine(value[key], properties[key], f"{path}/{key}")
        problems += more
    return result, problems


def _examine_list(value: list[Any], schema: Row, path: str) -> tuple[list[Any], list[Problem]]:
    problems = [(path, complaint) for complaint in _list_complaints(value, schema)]
    result = []
    for index, item in enumerate(value):
        coerced, more = _examine(item, schema.get("items", {}), f"{path}/{index}")
        result.append(coerced)
        problems += more
    return result, problems


def _list_complaints(value: list[Any], schema: Row) -> Iterator[str]:
    if len(value) < schema.get("minItems", 0):
        yield f"must NOT have fewer than {schema['minItems']} items"
    if len(value) > schema.get("maxItems", len(value)):
        yield f"must NOT have more than {schema['maxItems']} items"
    if schema.get("uniqueItems"):
        twins = [(i, value.index(item)) for i, item in enumerate(value) if value.index(item) < i]
        if twins:
            yield f"must NOT have duplicate items (items ## {twins[-1][0]} and {twins[-1][1]} are identical)"


def _scalar_complaints(value: Any, schema: Row) -> Iterator[str]:
    if "enum" in schema and value not in schema["enum"]:
        yield "must be equal to one of the allowed values"
    if len(str(value)) < schema.get("minLength", 0):
        yield f"must NOT have fewer than {schema['minLength']} characters"
    if len(str(value)) > schema.get("maxLength", len(str(value))):
        yield f"must NOT have more than {schema['maxLength']} characters"
    if value < schema.get("minimum", value):
        yield f"must be >= {schema['minimum']}"
    if value > schema.get("maximum", value):
        yield f"must be <= {schema['maximum']}"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f'must match pattern "{schema["pattern"]}"'


def _coerced(value: Any, kind: str | None) -> Any:
    """`value` as the wanted type. Raises ValueError when it cannot be read as that."""
    if kind == "integer":
        return _integer(value)
    if kind == "boolean":
        return _boolean(value)
    if kind == "string" and not isinstance(value, str):
        return _string(value)
    if kind in ("array", "object") and not isinstance(value, list if kind == "array" else dict):
        raise ValueError
    return value


def _integer(value: Any) -> int:
    if value is None or isinstance(value, bool):
        return int(bool(value))
    if isinstance(value, str):
        return int(value)
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return int(value)
    raise ValueError


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value is None or value in ("false", 0):
        return False
    if value in ("true", 1):
        return True
    raise ValueError


def _string(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return str(value)
    raise ValueError
