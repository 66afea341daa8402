import type { Event, Result } from "./http";

export async function main(_event: Event): Promise<Result> {
  return {
    statusCode: 200,
    body: "Hello user!",
  };
}
