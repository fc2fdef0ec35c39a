/** The words of an answer that says no: `detail` of FastAPI, `error` of the wire, or what there is. */
import { z } from "zod";
import type { HttpAnswer } from "./http.ts";

export interface FailureText {
  readonly message: string;
  /** A code of the engine contract, a hint and where it happened: servers of ours say them. */
  readonly code?: string;
  readonly hint?: string;
  readonly traceback?: string;
}

const body = z.object({
  error: z.unknown().optional(),
  detail: z.unknown().optional(),
  message: z.unknown().optional(),
  code: z.string().nullish(),
  hint: z.string().nullish(),
  traceback: z.string().nullish(),
});

const longestText = 2000;

export function failureText(answer: HttpAnswer): FailureText {
  const text = new TextDecoder().decode(answer.bytes.subarray(0, 64 * 1024));
  try {
    return failureOf(JSON.parse(text));
  } catch {
    return { message: text.trim() === "" ? "nothing" : text.slice(0, longestText) };
  }
}

/** The same for JSON that has been read. */
export function failureOf(value: unknown): FailureText {
  const parsed = body.safeParse(value);
  if (!parsed.success) return { message: wordsOf(value) };
  const { error, detail, message, code, hint, traceback } = parsed.data;
  return {
    message: wordsOf(error ?? detail ?? message ?? value),
    ...(typeof code === "string" ? { code } : {}),
    ...(typeof hint === "string" ? { hint } : {}),
    ...(typeof traceback === "string" ? { traceback } : {}),
  };
}

function wordsOf(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "nothing");
  return text.slice(0, longestText);
}
