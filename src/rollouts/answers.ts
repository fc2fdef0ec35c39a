/** What came of an ask or a call, before the game is told in its turn. */
import type { Call, Turn } from "../records/index.ts";

/** A limit that kept a seat or service from answering. */
export type LimitAnswer<Limit extends string> = { readonly kind: "limit"; readonly limit: Limit };

export type AskAnswer =
  | { readonly kind: "turns"; readonly turns: readonly Turn[] }
  | LimitAnswer<"turns" | "tokens" | "time" | "context">;

export type CallAnswer = { readonly kind: "call"; readonly call: Call } | LimitAnswer<"calls" | "time">;
