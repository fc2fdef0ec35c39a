/**
 * Whether a chat template keeps what it has written when a conversation goes on. Some drop earlier
 * thinking, move the system message or number the turns: then a context that is extended by ids
 * differs from what the template would write, and a recipe must say what it wants.
 */
import { SparError, isSparError } from "../base/index.ts";
import type { ChatMessage, ChatTemplate } from "./chat-template.ts";

export type PrefixCheck =
  | {
      readonly kind: "preserving";
      /** True where the template would strip blanks around replies; the ids keep them. */
      readonly trimsReplies: boolean;
    }
  | {
      readonly kind: "rewriting";
      /** The conversation that showed it. */
      readonly probe: "plain" | "system" | "thinking";
      /** What stands in the context, from where the two part. */
      readonly written: string;
      /** What the template writes there once the conversation has gone on. */
      readonly rewritten: string;
    };

/** What a renderer does where the template would rewrite earlier turns. */
export type RewritingPolicy =
  /** Contexts cannot be extended; single prompts still can be rendered. */
  | "refuse"
  /** Earlier ids stay as they are, which the template itself would not write. */
  | "keep-ids"
  /** Each prompt is rendered whole and begins a new datum. */
  | "new-context";

/** Compares the template's own rendering with the sum of what is added turn by turn. */
export function inspectTemplate(template: ChatTemplate): PrefixCheck {
  const replies = ["one", "two"];
  const thoughts = replies.map((reply) => `<think>\nhm\n</think>\n\n${reply}`);
  const system: ChatMessage = { role: "system", content: "Be brief." };
  const probes = [
    { probe: "plain", opening: [], replies },
    { probe: "system", opening: acceptsSystem(template, system) ? [system] : [], replies },
    { probe: "thinking", opening: [], replies: thoughts },
  ] as const;
  for (const { probe, opening, replies: said } of probes) {
    const { written, rewritten } = converse(template, opening, said);
    if (written !== rewritten) return { kind: "rewriting", probe, ...fromDifference(written, rewritten) };
  }
  const padded = converse(
    template,
    [],
    replies.map((reply) => ` ${reply}\n`),
  );
  return { kind: "preserving", trimsReplies: padded.written !== padded.rewritten };
}

/** The refusal of a template that rewrites. */
export function notPrefixPreserving(check: Extract<PrefixCheck, { kind: "rewriting" }>): SparError {
  const { probe, written, rewritten } = check;
  return new SparError({
    code: "template-not-prefix-preserving",
    boundary: "text",
    message:
      `the chat template rewrites earlier turns (${probe} conversation): ` +
      `${JSON.stringify(written)} becomes ${JSON.stringify(rewritten)}`,
    hint: 'choose whenRewriting "new-context" (a new row per turn) or "keep-ids" (earlier turns stay), or another template',
    facts: { probe },
  });
}

interface Conversation {
  /** The sum of first prompt, replies and tails. */
  readonly written: string;
  /** The whole conversation rendered at once. */
  readonly rewritten: string;
}

function converse(
  template: ChatTemplate,
  opening: readonly ChatMessage[],
  replies: readonly string[],
): Conversation {
  const messages: ChatMessage[] = [...opening, { role: "user", content: "Question 0" }];
  let written = template.opened(messages);
  for (const [replyIndex, reply] of replies.entries()) {
    const next: ChatMessage = { role: "user", content: `Question ${replyIndex + 1}` };
    messages.push({ role: "assistant", content: reply }, next);
    written += reply + template.tail([next]);
  }
  return { written, rewritten: template.opened(messages) };
}

function acceptsSystem(template: ChatTemplate, system: ChatMessage): boolean {
  try {
    template.opened([system, { role: "user", content: "Question" }]);
    return true;
  } catch (thrown) {
    if (isSparError(thrown)) return false;
    throw thrown;
  }
}

const shownCharacters = 40;

function fromDifference(written: string, rewritten: string): { written: string; rewritten: string } {
  let start = 0;
  while (start < written.length && written[start] === rewritten[start]) start += 1;
  const from = Math.max(0, start - 8);
  const show = (text: string): string => text.slice(from, start + shownCharacters);
  return { written: show(written), rewritten: show(rewritten) };
}
