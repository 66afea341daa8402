import type { Result } from "./http";

export async function main(): Promise<Result> {
  return {
    statusCode: 200,
    body: "Hello stranger!",
  };
}
