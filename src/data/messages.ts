/** Chat messages as the hub's data sets have them, and the first exchange of a conversation. */
import { z } from "zod";

export interface Message {
  readonly role: string;
  readonly content: string;
}

export const messageSchema: z.ZodType<Message> = z.object({ role: z.string(), content: z.string() });

/** Messages that begin with a question and its answer; nobody can answer an empty question. */
export const exchangeSchema: z.ZodType<readonly Message[]> = z
  .array(messageSchema)
  .refine((messages) => firstExchange(messages) !== null, {
    error: "expected a user message followed by an assistant message",
  })
  .refine((messages) => firstExchange(messages)?.prompt !== "", {
    error: "expected a user message with a text to answer, its content is empty",
  });

export interface Exchange {
  /** Null where the conversation has no system message. */
  readonly system: string | null;
  readonly prompt: string;
  readonly answer: string;
}

/** The first question with its answer; null where a conversation does not begin with one. */
export function firstExchange(messages: readonly Message[]): Exchange | null {
  const [first] = messages;
  const system = first?.role === "system" ? first.content : null;
  const [question, answer] = messages.slice(system === null ? 0 : 1);
  if (question?.role !== "user" || answer?.role !== "assistant") return null;
  return { system, prompt: question.content, answer: answer.content };
}
