// A function with Fastify.
import awsLambdaFastify from "@fastify/aws-lambda";
import fastify from "fastify";
import { bytes, cookies, lists, squeezed, sum, told } from "./answers.js";

const app = fastify();
app.addContentTypeParser("application/octet-stream", { parseAs: "buffer" }, (req, body, done) => done(null, body));
app.addContentTypeParser("application/x-www-form-urlencoded", { parseAs: "string" }, (req, body, done) =>
  done(null, Object.fromEntries(new URLSearchParams(body))),
);

app.get("/query", async (req) => lists(req.query));
app.get("/cookies", async (req, reply) => {
  reply.header("set-cookie", "one=1; Path=/").header("set-cookie", "two=2; Path=/; HttpOnly");
  return cookies(req.headers.cookie);
});
app.post("/upload", async (req) => sum(req.headers["content-type"], req.body));
app.post("/text", async (req) => req.body);
app.post("/form", async (req) => lists(req.body));
app.get("/download", async (req, reply) => reply.type("application/octet-stream").send(bytes));
app.get("/squeezed", async (req, reply) => reply.type("text/plain").header("content-encoding", "gzip").send(squeezed));
app.get("/redirect", async (req, reply) => reply.redirect("/query?from=redirect"));
app.get("/items/:id", async (req) => ({ id: req.params.id }));
app.delete("/items/:id", async (req, reply) => reply.code(204).send());
app.head("/head", async (req, reply) => reply.header("X-Head", "yes").send());
app.get("/cached", async (req, reply) => {
  reply.header("etag", '"v1"');
  return req.headers["if-none-match"] === '"v1"' ? reply.code(304).send() : reply.type("application/json").send('"fresh"');
});
app.get("/tags", async (req, reply) => {
  const tags = [req.headers["x-tag"]].flat().flatMap((values) => values.split(/, */));
  reply.header("x-got", tags);
  return tags;
});
app.get("/event", async (req) => told(req.awsLambda.event));

export const handler = awsLambdaFastify(app, { binaryMimeTypes: ["application/octet-stream"] });
