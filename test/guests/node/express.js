// A function with Express.
import serverlessExpress from "@codegenie/serverless-express";
import express from "express";
import { bytes, cookies, lists, squeezed, sum, told } from "./answers.js";

const app = express();
app.set("query parser", "simple");
app.use(express.raw({ type: "application/octet-stream" }));
app.use(express.text({ type: "text/plain" }));
app.use(express.urlencoded({ extended: false }));

app.get("/query", (req, res) => res.json(lists(req.query)));
app.get("/cookies", (req, res) => {
  res.cookie("one", "1").cookie("two", "2", { httpOnly: true });
  res.json(cookies(req.headers.cookie));
});
app.post("/upload", (req, res) => res.json(sum(req.get("content-type"), req.body)));
app.post("/text", (req, res) => res.type("text/plain").send(req.body));
app.post("/form", (req, res) => res.json(lists(req.body)));
app.get("/download", (req, res) => res.type("application/octet-stream").send(bytes));
app.get("/squeezed", (req, res) => res.type("text/plain").set("Content-Encoding", "gzip").send(squeezed));
app.get("/redirect", (req, res) => res.redirect("/query?from=redirect"));
app.get("/items/:id", (req, res) => res.json({ id: req.params.id }));
app.delete("/items/:id", (req, res) => res.status(204).end());
app.head("/head", (req, res) => res.set("X-Head", "yes").end());
app.get("/cached", (req, res) => res.set("ETag", '"v1"').json("fresh")); // Express compares
app.get("/tags", (req, res) => {
  const tags = req.get("x-tag").split(/, */);
  tags.forEach((tag) => res.append("X-Got", tag));
  res.json(tags);
});
app.get("/event", (req, res) => res.json(told(serverlessExpress.getCurrentInvoke().event)));
// Without one of our own, Express' last handler asks the adapter's socket for
// what it does not have.
app.use((req, res) => res.status(404).json({ message: "there is nothing here" }));

export const handler = serverlessExpress({ app, binarySettings: { contentTypes: ["application/octet-stream"] } });
