"""Roost's runtime client for Python.

It loads a function's handler, asks the Lambda Runtime API for invocations and
hands back what the handler returns. It speaks HTTP/1.1 over one socket itself,
because importing http.client would take a good part of a cold start.
"""

import importlib
import json
import logging
import os
import socket
import sys
import time
import traceback

ENV = os.environ
INDENT = "\u00a0\u00a0"


class Client:
    """The Runtime API on one connection."""

    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self.address = address
        self.socket = socket.create_connection((host, int(port)))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = self.socket.makefile("rb")

    def request(self, method, target, body=b"", headers=()):
        lines = [f"{method} /2018-06-01/runtime/{target} HTTP/1.1", f"Host: {self.address}"]
        lines += [f"{name}: {value}" for name, value in headers]
        if method == "POST":
            lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        self.socket.sendall("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)
        return self.answer()

    def answer(self):
        status = self.reader.readline()
        if not status:
            sys.exit(1)
        headers = {}
        for line in iter(self.reader.readline, b"\r\n"):
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        body = self.reader.read(int(headers.get("content-length", 0)))
        return int(status.split()[1]), headers, body

    def next(self):
        _, headers, body = self.request("GET", "invocation/next")
        return headers, body

    def post(self, target, document, error_type=None):
        headers = [("Lambda-Runtime-Function-Error-Type", error_type)] if error_type else []
        return self.request("POST", target, document.encode("utf-8", "surrogatepass"), headers)


class Log:
    """One log event for each message, however many lines it has."""

    def __init__(self):
        self.fd = int(ENV.pop("_LAMBDA_TELEMETRY_LOG_FD", 0))

    def write(self, text):
        sys.stdout.flush()
        data = text.encode("utf-8", "replace")
        if not self.fd:
            os.write(1, data if data.endswith(b"\n") else data + b"\n")
            return
        micros = int(time.time() * 1_000_000)
        data = (0xA55A0003).to_bytes(4, "big") + len(data).to_bytes(4, "big") + micros.to_bytes(8, "big") + data
        while data:
            data = data[os.write(self.fd, data):]


class RequestID(logging.Filter):
    """Puts the request id into each record, as aws_request_id."""

    current = ""

    def filter(self, record):
        record.aws_request_id = RequestID.current
        return True


class TextFormatter(logging.Formatter):
    converter = time.gmtime

    def __init__(self):
        super().__init__("[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s", "%Y-%m-%dT%H:%M:%S")

    def format(self, record):
        return super().format(record) + "\n"


class JSONFormatter(TextFormatter):
    def format(self, record):
        document = {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
            "requestId": record.aws_request_id,
        }
        if record.exc_info and record.exc_info[0]:
            kind, error, trace = record.exc_info
            document["stackTrace"] = traceback.format_list(traceback.extract_tb(trace))
            document["errorType"] = kind.__name__
            document["errorMessage"] = str(error)
            document["location"] = f"{record.pathname}:{record.funcName}:{record.lineno}"
        return json.dumps({k: v for k, v in document.items() if v not in (None, "")}, default=str) + "\n"


class LogHandler(logging.Handler):
    def __init__(self, log):
        super().__init__()
        self.log = log

    def emit(self, record):
        self.log.write(self.format(record))


def set_up_logging(log):
    handler = LogHandler(log)
    handler.addFilter(RequestID())
    json_logs = ENV.get("AWS_LAMBDA_LOG_FORMAT") == "JSON"
    handler.setFormatter(JSONFormatter() if json_logs else TextFormatter())
    root = logging.getLogger()
    root.addHandler(handler)
    if json_logs:
        level = ENV.get("AWS_LAMBDA_LOG_LEVEL", "INFO").upper() or "INFO"
        root.setLevel({"TRACE": "DEBUG", "FATAL": "CRITICAL"}.get(level, level))


class Attributes:
    """An object with the given attributes; those that are missing are None."""

    def __init__(self, **attributes):
        self.__dict__.update(attributes)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return None


class Context:
    """What a handler gets as its second argument."""

    def __init__(self, headers):
        self._deadline = int(headers["lambda-runtime-deadline-ms"])
        self.aws_request_id = headers["lambda-runtime-aws-request-id"]
        self.invoked_function_arn = headers.get("lambda-runtime-invoked-function-arn")
        self.function_name = ENV.get("AWS_LAMBDA_FUNCTION_NAME")
        self.function_version = ENV.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.memory_limit_in_mb = ENV.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.log_group_name = ENV.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = ENV.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.tenant_id = headers.get("lambda-runtime-aws-tenant-id")
        identity = json.loads(headers.get("lambda-runtime-cognito-identity") or "{}")
        self.identity = Attributes(
            cognito_identity_id=identity.get("cognitoIdentityId"),
            cognito_identity_pool_id=identity.get("cognitoIdentityPoolId"),
        )
        self.client_context = client_context(headers.get("lambda-runtime-client-context"))

    def get_remaining_time_in_millis(self):
        return max(self._deadline - int(time.time() * 1000), 0)

    def log(self, message):
        sys.stdout.write(str(message))


def client_context(text):
    if not text:
        return None
    document = json.loads(text)
    client = document.get("client")
    return Attributes(custom=document.get("custom"), env=document.get("env"), client=Attributes(**client) if client else None)


class LoadError(Exception):
    """The handler could not be loaded, for a reason that has a name."""

    def __init__(self, kind, message, trace=()):
        super().__init__(message)
        self.kind, self.trace = kind, list(trace)


def load_handler():
    expression = ENV.get("_HANDLER", "")
    try:
        module_name, name = expression.rsplit(".", 1)
    except ValueError as error:
        raise LoadError("Runtime.MalformedHandlerName", f"Bad handler '{expression}': {error}") from None
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        text = f"Unable to import module '{module_name}': {error}"
        if (error.name or "").split(".")[0] in ("boto3", "botocore"):
            text += f"\nThe AWS SDK is not part of the runtime on this machine: add {error.name.split('.')[0]} to the app's requirements.txt."
        raise LoadError("Runtime.ImportModuleError", text) from None
    except SyntaxError as error:
        trace = [f'  File "{error.filename}" Line {error.lineno}\n    {error.text or ""}']
        raise LoadError("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_name}': {error}", trace) from None
    handler = getattr(module, name, None)
    if handler is None:
        raise LoadError("Runtime.HandlerNotFound", f"Handler '{name}' missing on module '{module_name}'")
    return handler


def describe(error, request_id):
    """The error as its caller gets it, without this file's own frames."""
    if isinstance(error, LoadError):
        kind, trace = error.kind, error.trace
    else:
        kind = type(error).__name__
        frames = traceback.extract_tb(error.__traceback__)
        trace = traceback.format_list([f for f in frames if f.filename != __file__])
    return {"errorMessage": str(error), "errorType": kind, "requestId": request_id, "stackTrace": trace}


def error_type(error):
    return error.kind if isinstance(error, LoadError) else "Function.Unknown"


def log_error(log, document):
    if ENV.get("AWS_LAMBDA_LOG_FORMAT") == "JSON":
        record = {"timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "log_level": "ERROR", "level": "ERROR", **document}
        log.write(json.dumps(record) + "\n")
        return
    lines = [f"[ERROR] {document['errorType']}: {document['errorMessage']}", "Traceback (most recent call last):"]
    for element in document["stackTrace"]:
        for line in element.splitlines():
            text = line.lstrip(" ")
            lines.append(INDENT * ((len(line) - len(text)) // 2) + text)
    log.write("\n".join(lines))


def serialize(value):
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise LoadError("Runtime.MarshalError", f"Unable to marshal response: {error}") from None


def invoke(client, log, handler, headers, body):
    request_id = headers["lambda-runtime-aws-request-id"]
    RequestID.current = request_id
    if "lambda-runtime-trace-id" in headers:
        ENV["_X_AMZN_TRACE_ID"] = headers["lambda-runtime-trace-id"]
    try:
        result = serialize(handler(json.loads(body), Context(headers)))
    except Exception as error:
        document = describe(error, request_id)
        log_error(log, document)
        sys.stdout.flush()
        client.post(f"invocation/{request_id}/error", json.dumps(document, ensure_ascii=False), error_type(error))
        return
    sys.stdout.flush()
    client.post(f"invocation/{request_id}/response", result)


def main():
    # The folder of this file is first on the path only because Python puts it
    # there; a function must not find it.
    sys.path[0] = ENV.get("LAMBDA_TASK_ROOT", os.getcwd())
    # The argument is the folder of the layers, which Lambda has as /opt.
    for layers in sys.argv[1:2]:
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        sys.path[1:1] = [f"{layers}/python/lib/{version}/site-packages", f"{layers}/python"]
    log = Log()
    set_up_logging(log)
    client = Client(ENV["AWS_LAMBDA_RUNTIME_API"])
    try:
        handler = load_handler()
    except Exception as error:
        document = describe(error, "")
        log_error(log, document)
        sys.stdout.flush()
        client.post("init/error", json.dumps(document, ensure_ascii=False), error_type(error))
        sys.exit(1)
    while True:
        headers, body = client.next()
        invoke(client, log, handler, headers, body)


if __name__ == "__main__":
    main()
