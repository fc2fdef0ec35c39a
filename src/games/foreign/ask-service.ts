/** A state of a game that is played elsewhere, from a service of the table, read with a schema. */
import { z } from "zod";
import { SparError, type JsonValue } from "../../base/index.ts";
import type { Table } from "../game.ts";

/** Null where the episode has no calls or no time left. */
export type ServiceState<State> = { readonly state: State } | null;

/** @throws the failure of the service; `service-unreadable` where it answers something else */
export async function askService<State>(
  table: Table,
  asked: { readonly service: string; readonly input: JsonValue; readonly schema: z.ZodType<State> },
): Promise<ServiceState<State>> {
  const { service, input, schema } = asked;
  const outcome = await table.call(service, input);
  if (outcome.kind === "limit") return null;
  if (outcome.kind === "failure")
    throw new SparError({
      code: outcome.code,
      boundary: "service",
      message: `the service ${service} did not go on with the game: ${outcome.message}`,
      hint: "spar doctor says what Python and its packages need",
    });
  return { state: readAs(schema, outcome.output, service) };
}

/** @throws `service-unreadable` */
export function readAs<Value>(schema: z.ZodType<Value>, value: JsonValue, service: string): Value {
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  throw new SparError({
    code: "service-unreadable",
    boundary: "service",
    message: `expected another answer of the service ${service}: ${z.prettifyError(read.error)}`,
    hint: "both sides of the service must be of one version of spar",
  });
}
