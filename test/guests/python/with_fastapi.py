"""A function with FastAPI, on Lambda by Mangum."""

from typing import Annotated

from answers import BYTES, digest, told
from fastapi import FastAPI, Form, Header, Request, Response, UploadFile
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import JSONResponse, PlainTextResponse, RedirectResponse
from mangum import Mangum

app = FastAPI()
app.add_middleware(GZipMiddleware)  # what is 500 bytes or more


@app.get("/query")
def query(request: Request):
    values = request.query_params
    return {name: values.getlist(name) for name in values}


@app.get("/cookies")
def cookies(request: Request, response: Response):
    response.set_cookie("one", "1")
    response.set_cookie("two", "2", httponly=True)
    return request.cookies


@app.post("/upload")
async def upload(request: Request):
    return digest(request.headers["content-type"], await request.body())


@app.post("/text")
async def text(request: Request):
    return PlainTextResponse(await request.body())


@app.post("/form")
def form(name: Annotated[list[str], Form()]):
    return {"name": name}


@app.post("/file")
async def file(file: UploadFile):
    return digest(file.filename, await file.read())


@app.get("/download")
def download():
    return Response(BYTES, media_type="application/octet-stream")


@app.get("/squeezed")
def squeezed():
    return PlainTextResponse("squeezed " * 100)


@app.get("/redirect")
def redirect():
    return RedirectResponse("/query?from=redirect", 302)


@app.get("/items/{id}")
def item(id: str):
    return {"id": id}


@app.delete("/items/{id}", status_code=204)
def remove(id: str):
    return None


@app.head("/head")
def head(response: Response):
    response.headers["X-Head"] = "yes"


@app.get("/cached")
def cached(if_none_match: Annotated[str | None, Header()] = None):
    etag = {"ETag": '"v1"'}
    if if_none_match == '"v1"':
        return Response(status_code=304, headers=etag)
    return JSONResponse("fresh", headers=etag)


@app.get("/tags")
def tags(request: Request, response: Response):
    found = [one.strip() for values in request.headers.getlist("x-tag") for one in values.split(",")]
    for tag in found:
        response.headers.append("X-Got", tag)
    return found


@app.get("/event")
def event(request: Request):
    return told(request.scope["aws.event"])


handler = Mangum(app, lifespan="off")
