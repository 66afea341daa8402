"""A function with the event handler of Powertools for AWS Lambda."""

import base64
import json
from http.cookies import SimpleCookie
from urllib.parse import parse_qs

from answers import BYTES, digest, told
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.router import Router
from aws_lambda_powertools.shared.cookies import Cookie

router = Router()
v1, v2 = APIGatewayRestResolver(), APIGatewayHttpResolver()


@router.get("/query")
def query():
    return router.current_event.resolved_query_string_parameters


@router.get("/cookies")
def cookies():
    event = router.current_event
    header = "; ".join(event.get("cookies") or []) or event.headers.get("cookie", "")
    return Response(
        200,
        "application/json",
        json.dumps({name: one.value for name, one in SimpleCookie(header).items()}),
        cookies=[Cookie("one", "1", path="/", secure=False), Cookie("two", "2", path="/", secure=False, http_only=True)],
    )


@router.post("/upload")
def upload():
    event = router.current_event
    return digest(event.headers["content-type"], base64.b64decode(event.body))


@router.post("/text")
def text():
    return Response(200, "text/plain; charset=utf-8", router.current_event.body)


@router.post("/form")
def form():
    return parse_qs(router.current_event.decoded_body)


@router.get("/download")
def download():
    return Response(200, "application/octet-stream", BYTES)


@router.get("/squeezed", compress=True)
def squeezed():
    return Response(200, "text/plain; charset=utf-8", "squeezed " * 100)


@router.get("/redirect")
def redirect():
    return Response(302, headers={"Location": "/query?from=redirect"})


@router.get("/items/<id>")
def item(id):
    return {"id": id}


@router.delete("/items/<id>")
def remove(id):
    return Response(204)


@router.head("/head")
def head():
    return Response(200, headers={"X-Head": "yes"})


@router.get("/cached")
def cached():
    etag = {"ETag": '"v1"'}
    if router.current_event.headers.get("if-none-match") == '"v1"':
        return Response(304, headers=etag)
    return Response(200, "application/json", '"fresh"', etag)


@router.get("/tags")
def tags():
    values = router.current_event.resolved_headers_field["x-tag"]
    found = [one.strip() for value in ([values] if isinstance(values, str) else values) for one in value.split(",")]
    return Response(200, "application/json", json.dumps(found), {"X-Got": found})


@router.get("/event")
def event():
    return told(router.current_event.raw_event)


v1.include_router(router)
v2.include_router(router)


def handler(event, context):
    resolver = v1 if event["version"] == "1.0" else v2
    return resolver.resolve(event, context)
