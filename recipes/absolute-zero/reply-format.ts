/**
 * Replies of models that read and write text: a thought, then an answer with fenced blocks. Lenient where it reads an
 * answer, strict where it says whether a reply had its form. Knows no task.
 */

export const thinkOpen = "<think>";
const thinkClose = "</think>";
const answerOpen = "<answer>";
const answerClose = "</answer>";

/** A thought, nothing but space, an answer; what comes after is tolerated. */
export function isWellFormed(reply: string): boolean {
  if (!reply.startsWith(thinkOpen)) return false;
  const end = reply.indexOf(thinkClose);
  if (end < 0) return false;
  const rest = reply.slice(end + thinkClose.length).trimStart();
  return rest.startsWith(answerOpen) && rest.includes(answerClose);
}

export function thoughtOf(reply: string): string {
  const end = reply.indexOf(thinkClose);
  const start = reply.startsWith(thinkOpen) ? thinkOpen.length : 0;
  return end < 0 ? "" : reply.slice(start, end).trim();
}

/** What stands after the last opening tag, up to its close; null where no answer was begun. */
export function answerOf(reply: string): string | null {
  const start = reply.lastIndexOf(answerOpen);
  if (start < 0) return null;
  const body = reply.slice(start + answerOpen.length);
  const end = body.indexOf(answerClose);
  return end < 0 ? body : body.slice(0, end);
}

export interface Fence {
  /** In small letters; empty where there is none. */
  readonly tag: string;
  readonly body: string;
}

/** Blocks between lines of three backticks, in order; one that is not closed is none. */
export function fencesOf(text: string): Fence[] {
  return [...text.matchAll(/```[ \t]*([\w+-]*)[ \t]*\r?\n([^]*?)```/g)].map(([, tag = "", body = ""]) => ({
    tag: tag.toLowerCase(),
    body: body.trim(),
  }));
}

export function isCodeFence({ tag }: Fence): boolean {
  return tag === "" || tag === "python" || tag === "py" || tag === "python3";
}

/** The last block with this tag; without one, what looks like an answer in some other way; else all of it. */
export function looseAnswer(answer: string, label: "input" | "output"): string {
  const fence = fencesOf(answer).findLast(({ tag }) => tag === label);
  if (fence !== undefined) return fence.body;
  const ways = [
    new RegExp(`#\\s*${label}\\s*:\\s*([^\\n]+)`, "gi"),
    ...(label === "input" ? [/(?<![\w.])f\(([^\n]*)\)/g] : []),
    new RegExp(`<${label}>([^]*?)</${label}>`, "gi"),
    new RegExp(`the ${label} is\\s*:?\\s*([^\\n]+?)\\.?\\s*(?:\\n|$)`, "gi"),
  ];
  for (const way of ways) {
    const found = [...answer.matchAll(way)].at(-1)?.[1];
    if (found !== undefined) return found.trim();
  }
  return answer.trim();
}
