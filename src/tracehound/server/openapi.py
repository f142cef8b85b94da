"""The description of the routes in OpenAPI 3.1, made of the rows and of the records that they name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from tracehound.model.record import json_schemas
from tracehound.server.bodies import JSON
from tracehound.server.problems import MEDIA_TYPE as PROBLEM_MEDIA_TYPE
from tracehound.server.problems import Problem
from tracehound.server.rows import Call, Endpoint, Row

_TEMPLATE: Final = "#/components/schemas/{name}"
_IN_PATH: Final = re.compile(r"\{(\w+)(?::\w+)?\}")


def openapi_document(routes: Sequence[Row], version: str) -> dict[str, Any]:
    """Return the document that describes the routes."""
    calls = [row for row in routes if isinstance(row, Call)]
    kinds = list(dict.fromkeys([Problem, *(kind for row in calls for kind in (row.request, row.response))]))
    references, components = json_schemas(kinds, _TEMPLATE)
    schemas = dict(zip(kinds, references, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for row in routes:
        if isinstance(row, Endpoint) and not row.is_described:
            continue
        path = _IN_PATH.sub(r"{\1}", row.path)
        paths.setdefault(path, {})[row.method.lower()] = _operation(row, schemas, components)
    in_use = _in_use(paths, components)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Tracehound", "version": version},
        "paths": paths,
        "components": {"schemas": {name: components[name] for name in sorted(in_use)}},
    }


def _operation(row: Row, schemas: dict[Any, dict[str, Any]], components: dict[str, Any]) -> dict[str, Any]:
    told = (row.handle.__doc__ or "").strip().splitlines()[0]
    operation: dict[str, Any] = {
        "operationId": row.handle.__name__,
        "summary": told.rstrip("."),
        "x-right": row.right.value,
    }
    in_path = _IN_PATH.findall(row.path)
    fields = _fields(row, components)
    parameters = [_parameter(name, "path", fields.get(name, {"type": "string"}), required=True) for name in in_path]
    if isinstance(row, Call):
        rest = {name: schema for name, schema in fields.items() if name not in in_path}
        if row.has_body:
            required = [name for name in _required(row, components) if name in rest]
            body = {"type": "object", "properties": rest, "required": required, "additionalProperties": False}
            operation["requestBody"] = {"required": bool(required), "content": {JSON: {"schema": body}}}
        else:
            required = _required(row, components)
            parameters += [_parameter(name, "query", rest[name], required=name in required) for name in rest]
        good: dict[str, Any] = {JSON: {"schema": schemas[row.response]}}
    else:
        if row.takes:
            operation["requestBody"] = {"required": True, "content": _anything(row.takes)}
        good = _anything(row.gives)
    if parameters:
        operation["parameters"] = parameters
    problem = {"description": "a problem", "content": {PROBLEM_MEDIA_TYPE: {"schema": schemas[Problem]}}}
    operation["responses"] = {"200": {"description": "done", "content": good}, "4XX": problem, "5XX": problem}
    return operation


def _anything(media_types: Sequence[str]) -> dict[str, Any]:
    return {each: {"schema": {}} for each in media_types}


def _parameter(name: str, place: str, schema: dict[str, Any], *, required: bool) -> dict[str, Any]:
    return {"name": name, "in": place, "required": required, "schema": schema}


def _fields(row: Row, components: dict[str, Any]) -> dict[str, Any]:
    return components[row.request.__name__].get("properties", {}) if isinstance(row, Call) else {}


def _required(row: Call, components: dict[str, Any]) -> list[str]:
    return list(components[row.request.__name__].get("required", []))


def _in_use(value: object, components: dict[str, Any]) -> set[str]:
    """Return the names of the schemas that a part of the document refers to, also through others."""
    found: set[str] = set()
    waiting: list[object] = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            name = str(each.get("$ref", "")).rpartition("/")[2]
            if name and name not in found:
                found.add(name)
                waiting.append(components[name])
            waiting += _parts(each.values())
        elif isinstance(each, list):
            waiting += each
    return found


def _parts(values: Iterable[object]) -> list[object]:
    return [each for each in values if isinstance(each, (dict, list))]
