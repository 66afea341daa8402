"""What the functions of this folder have in common."""

import hashlib

BYTES = bytes(range(256))  # which no text holds


def digest(kind, body):
    """Describes an upload."""
    return {"type": kind, "length": len(body), "sha256": hashlib.sha256(body).hexdigest()}


def told(event):
    """What the event says besides the request itself."""
    context = event["requestContext"]
    http = context.get("http") or {
        "method": context.get("httpMethod"),
        "path": context["path"],
        "protocol": context["protocol"],
        **context["identity"],
    }
    return {
        "format": event["version"],
        "account": context["accountId"],
        "api": context["apiId"],
        "stage": context["stage"],
        "route": context.get("routeKey") or context["resourceId"],
        "requestId": context["requestId"],
        "method": http["method"],
        "path": http["path"],
        "protocol": http["protocol"],
        "ip": http["sourceIp"],
        "userAgent": http["userAgent"],
        "time": context.get("timeEpoch") or context["requestTimeEpoch"],
    }
