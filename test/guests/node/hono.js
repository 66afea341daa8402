// A function with Hono.
import { Hono } from "hono";
import { handle } from "hono/aws-lambda";
import { compress } from "hono/compress";
import { getCookie, setCookie } from "hono/cookie";
import { bytes, lists, sum, told } from "./answers.js";

const app = new Hono();

app.get("/query", (c) => c.json(c.req.queries()));
app.get("/cookies", (c) => {
  setCookie(c, "one", "1", { path: "/" });
  setCookie(c, "two", "2", { path: "/", httpOnly: true });
  return c.json(getCookie(c));
});
app.post("/upload", async (c) => c.json(sum(c.req.header("content-type"), Buffer.from(await c.req.arrayBuffer()))));
app.post("/text", async (c) => c.text(await c.req.text()));
app.post("/form", async (c) => c.json(lists(await c.req.parseBody())));
app.post("/file", async (c) => {
  const { file } = await c.req.parseBody();
  return c.json(sum(file.name, Buffer.from(await file.arrayBuffer())));
});
app.get("/download", (c) => c.body(bytes, 200, { "content-type": "application/octet-stream" }));
app.get("/squeezed", compress({ threshold: 0 }), (c) => c.text("squeezed ".repeat(100)));
app.get("/redirect", (c) => c.redirect("/query?from=redirect"));
app.get("/items/:id", (c) => c.json({ id: c.req.param("id") }));
app.delete("/items/:id", (c) => c.body(null, 204));
app.get("/head", (c) => c.body(null, 200, { "X-Head": "yes" }));
app.get("/cached", (c) => {
  c.header("etag", '"v1"');
  return c.req.header("if-none-match") === '"v1"' ? c.body(null, 304) : c.json("fresh");
});
app.get("/tags", (c) => {
  const tags = c.req.header("x-tag").split(/, */);
  tags.forEach((tag) => c.header("X-Got", tag, { append: true }));
  return c.json(tags);
});
app.get("/event", (c) => c.json(told(c.env.event)));

export const handler = handle(app);
