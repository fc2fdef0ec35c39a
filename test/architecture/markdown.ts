/** Headings, anchors and links of a Markdown file, as the usual code hosts make them. Knows no repository. */

/** The text without fenced code, line numbers kept. */
function withoutCode(text: string): string {
  return text.replace(/^(```|~~~)[^]*?^\1/gm, (block) => block.replace(/[^\n]/g, ""));
}

/** Heading texts in order. */
export function headingsOf(text: string): string[] {
  return [...withoutCode(text).matchAll(/^#{1,6} +(.+?) *#*$/gm)].map((match) => match[1] ?? "");
}

/** The anchors that headings get: lower case, punctuation dropped, spaces as dashes, repeats numbered. */
export function anchorsOf(text: string): Set<string> {
  const seen = new Map<string, number>();
  const anchors = new Set<string>();
  for (const heading of headingsOf(text)) {
    const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1");
    const slug = plain
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replace(/\s/g, "-");
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    anchors.add(count === 0 ? slug : `${slug}-${count}`);
  }
  return anchors;
}

/** Links and images that lead into the repository. */
export function linksOf(text: string): { readonly line: number; readonly target: string }[] {
  return withoutCode(text)
    .replace(/`[^`\n]*`/g, "")
    .split("\n")
    .flatMap((line, index) =>
      [...line.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g)]
        .map((match) => ({ line: index + 1, target: match[1] ?? "" }))
        .filter(({ target }) => !/^[a-z][a-z0-9+.-]*:/i.test(target)),
    );
}
