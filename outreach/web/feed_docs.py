"""What OpenAPI says of the events the lender's systems hear: schemas and examples, made from the list of types."""

from typing import Any

from fastapi import FastAPI

from outreach.domain.outbound_types import ALWAYS, FIELDS, Shown, Type
from outreach.web.problems import plain_json

_KINDS: dict[str, dict[str, Any]] = {
    "string": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "array of strings": {"type": "array", "items": {"type": "string"}},
    "array of objects": {"type": "array", "items": {"type": "object"}},
}
_PROBLEM = {"application/problem+json": {"schema": {"type": "object"}}}
_HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def example_of(kind: Type) -> dict[str, Any]:
    """Return an event of a type as documentation shows it."""
    data = {name: shown.example for name, shown in (ALWAYS | FIELDS[kind]).items()}
    return {
        "specversion": "1.0",
        "id": f"{ALWAYS['case_id'].example}-7",
        "source": "/outreach",
        "type": kind.value,
        "subject": f"account/{ALWAYS['account_id'].example}",
        "time": "2027-03-01T15:00:00Z",
        "datacontenttype": "application/json",
        "caseseq": 7,
        "cursor": "1204",
        "data": data,
    }


def schema_of(kind: Type) -> dict[str, Any]:
    """Return the JSON schema of an event of a type."""
    text = {"type": "string"}
    return {
        "type": "object",
        "required": ["specversion", "id", "source", "type", "subject", "time", "caseseq", "cursor", "data"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": text | {"description": "the same however often it is read or sent; equal to the header webhook-id"},
            "source": text,
            "type": {"const": kind.value},
            "subject": text | {"description": "account/<account_id>"},
            "time": text | {"format": "date-time"},
            "datacontenttype": {"const": "application/json"},
            "caseseq": {"type": "integer", "description": "rises from event to event of a case, with gaps"},
            "cursor": text | {"description": "where the feed goes on behind this event"},
            "data": {
                "type": "object",
                "required": list(ALWAYS),
                "properties": {name: _field(shown) for name, shown in (ALWAYS | FIELDS[kind]).items()},
            },
        },
    }


def _field(shown: Shown) -> dict[str, Any]:
    return _KINDS[shown.kind] | {"description": shown.means}


def _refusals(**more: str) -> dict[int | str, dict[str, Any]]:
    told = {"400": "a parameter cannot be used; `errors` names it", "401": "no valid API key"} | more
    return {int(status): {"description": means, "content": _PROBLEM} for status, means in told.items()}


EVENTS_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events in order, and the cursor to go on with",
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["events", "next", "more"],
                    "properties": {
                        "events": {"type": "array", "items": {"oneOf": [schema_of(kind) for kind in Type]}},
                        "next": {"type": "string"},
                        "more": {"type": "boolean"},
                    },
                },
                "example": {"events": [example_of(Type.ARRANGEMENT_CONFIRMED)], "next": "1204", "more": False},
            }
        },
    },
    **_refusals(**{"503": "the store is away; ask again after `Retry-After` seconds"}),
}

TIMELINE_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Entries of the case in order",
        "content": {
            "application/json": {
                "schema": {"type": "object"},
                "example": {
                    "case_id": ALWAYS["case_id"].example,
                    "account_id": ALWAYS["account_id"].example,
                    "state": "open",
                    "last_seq": 1,
                    "last_hash": _HASH,
                    "entries": [
                        {"seq": 1, "at": "2027-03-01T15:00:00Z", "kind": "promise.made", "prev_hash": "", "hash": _HASH,
                         "data": {"amount_minor": 4000, "currency": "USD", "due_on": "2027-03-12"}},
                    ],
                    "next": "1",
                    "more": False,
                },
            }
        },
    },
    **_refusals(**{"404": "no such case"}),
}  # fmt: skip


def document_webhooks(app: FastAPI) -> None:
    """Say in OpenAPI what is posted to the endpoints of config/webhooks.yaml, one operation a type."""
    for kind in Type:
        body = {"schema": schema_of(kind), "example": example_of(kind)}

        async def told() -> object:
            """Take the event and answer 2xx within the time-out; verify the signature first."""
            return plain_json({})

        app.webhooks.post(
            kind.value,
            name=kind.value,
            summary=kind.value,
            operation_id="told_" + kind.value.replace(".", "_"),
            openapi_extra={"requestBody": {"content": {"application/cloudevents+json": body}}},
        )(told)
