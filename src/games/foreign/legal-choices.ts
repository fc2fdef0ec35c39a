/** Legal actions as replies, and a reply as one of them. */

export interface LegalAction {
  readonly action: number;
  readonly text: string;
}

/** The actions with words that are told apart: where two have the same, their numbers are added. */
export function choicesOf(legal: readonly LegalAction[]): LegalAction[] {
  const counts = new Map<string, number>();
  for (const { text } of legal) counts.set(text.trim(), (counts.get(text.trim()) ?? 0) + 1);
  return legal.map(({ action, text }) => {
    const words = text.trim();
    const isPlain = words !== "" && counts.get(words) === 1;
    return { action, text: isPlain ? words : `${words} #${action}`.trim() };
  });
}

/**
 * The action that a reply means: the choice that it is, in any case of its letters, else the only one
 * that it contains as words of its own. Null where it is none or several.
 */
export function readChoice(text: string, choices: readonly LegalAction[]): number | null {
  const reply = text.trim();
  const exact = choices.find((choice) => choice.text === reply);
  if (exact !== undefined) return exact.action;
  const alike = choices.filter((choice) => choice.text.toLowerCase() === reply.toLowerCase());
  if (alike.length > 0) return onlyOne(alike);
  return onlyOne(choices.filter((choice) => contains(reply, choice.text)));
}

function onlyOne(found: readonly LegalAction[]): number | null {
  const [first, second] = found;
  return first !== undefined && second === undefined ? first.action : null;
}

/** Not as a part of a longer word or number. */
function contains(reply: string, words: string): boolean {
  for (let start = reply.indexOf(words); start >= 0; start = reply.indexOf(words, start + 1)) {
    const before = reply.slice(0, start);
    const after = reply.slice(start + words.length);
    const goesOn = (/\w$/u.test(before) && /^\w/u.test(words)) || (/^\w/u.test(after) && /\w$/u.test(words));
    if (!goesOn) return true;
  }
  return false;
}
