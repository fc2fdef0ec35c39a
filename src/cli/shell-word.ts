/** Words of a command that is shown to be pasted. */

/** One word of a shell: bare where that is safe, in double quotes where all shells agree, else in single ones. */
export function shellWord(text: string): string {
  if (/^[\w./:=@%+,-]+$/u.test(text)) return text;
  return quotedWord(text);
}

/** The same, always in quotes: for what is a text and no name. */
export function quotedWord(text: string): string {
  return /^[\w+\-*/=.,:;?<>() ]*$/u.test(text) ? `"${text}"` : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
