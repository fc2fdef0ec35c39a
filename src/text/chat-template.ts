/**
 * A chat template as a function from messages to text, through the hub's own Jinja. Two renderings
 * matter: the first prompt of a context, and the tail that follows a reply, which is what is added
 * to the ids of a context. Knows no tokens.
 */
import { Template } from "@huggingface/jinja";
import { SparError, messageOf, type JsonObject } from "../base/index.ts";

/** One message as templates take it; images are parts of the content, as processors write them. */
export interface ChatMessage {
  readonly role: string;
  readonly content:
    | string
    | readonly ({ readonly type: "text"; readonly text: string } | { readonly type: "image" })[];
}

export interface ChatTemplate {
  /** A whole conversation, with the header of the reply opened. */
  opened(messages: readonly ChatMessage[]): string;
  /** What follows a reply: its closing token, further messages, and the header of the next reply. */
  tail(messages: readonly ChatMessage[]): string;
  /** What follows a reply where nothing comes after it. */
  closing(): string;
}

export interface ChatTemplateOptions {
  readonly source: string;
  /** `bos_token` and the like. */
  readonly namedTokens: Readonly<Record<string, string>>;
  /** Switches of the template, such as `enable_thinking`. */
  readonly variables: JsonObject;
  /** The day that templates print which ask for today's date, as `2024-07-26`. */
  readonly date: string;
}

/** Stands for a reply whose place in the text is looked for; nothing in it that templates rewrite. */
const replyMark = "sparReplyMark";

/**
 * @throws `template-invalid` where the source is no Jinja; from the functions that are returned,
 * `template-failed` where the template refuses messages or hides the reply.
 */
export function chatTemplate(options: ChatTemplateOptions): ChatTemplate {
  // The library's own strftime_now reads the clock; a `set` is the one way to put another in its place.
  const template = parse(`{% set strftime_now = fixedDate %}\n${options.source}`);
  const variables = {
    ...options.namedTokens,
    ...options.variables,
    fixedDate: (format: string) => formatDate(options.date, format),
  };
  const render = (messages: readonly ChatMessage[], isOpened: boolean): string => {
    try {
      return template.render({ ...variables, messages, add_generation_prompt: isOpened });
    } catch (thrown) {
      const roles = messages.map((message) => message.role).join(", ");
      throw templateFailed(
        `the chat template refuses messages of the roles ${roles}: ${messageOf(thrown)}`,
        thrown,
      );
    }
  };
  const afterMark = (messages: readonly ChatMessage[], isOpened: boolean): string => {
    const reply: ChatMessage[] = [
      { role: "user", content: "Hello" },
      { role: "assistant", content: replyMark },
    ];
    const pieces = render([...reply, ...messages], isOpened).split(replyMark);
    const [, after] = pieces;
    if (after === undefined || pieces.length !== 2) {
      throw templateFailed(`the chat template shows a reply ${pieces.length - 1} times, expected once`);
    }
    return after;
  };
  return {
    opened: (messages) => render(messages, true),
    tail: (messages) => afterMark(messages, true),
    closing: () => afterMark([], false),
  };
}

function parse(source: string): Template {
  try {
    return new Template(source);
  } catch (thrown) {
    throw new SparError({
      code: "template-invalid",
      boundary: "text",
      message: `the chat template is no valid Jinja: ${messageOf(thrown)}`,
      hint: "compare it with the template on the model's hub page, or pass one of your own",
      cause: thrown,
    });
  }
}

function templateFailed(message: string, cause?: unknown): SparError {
  return new SparError({
    code: "template-failed",
    boundary: "text",
    message,
    hint: "send messages that the template accepts, or pass a template of your own",
    ...(cause === undefined ? {} : { cause }),
  });
}

/** The subset of `strftime` that templates use. A fixed day, so that a prompt is the same tomorrow. */
function formatDate(date: string, format: string): string {
  const day = new Date(`${date}T00:00:00Z`);
  const part = (options: Intl.DateTimeFormatOptions): string =>
    new Intl.DateTimeFormat("en-US", { timeZone: "UTC", ...options }).format(day);
  const [year = "", month = "", dayOfMonth = ""] = date.split("-");
  const parts: Readonly<Record<string, string>> = {
    "%Y": year,
    "%m": month,
    "%d": dayOfMonth,
    "%b": part({ month: "short" }),
    "%B": part({ month: "long" }),
    "%a": part({ weekday: "short" }),
    "%A": part({ weekday: "long" }),
    "%H": "00",
    "%M": "00",
    "%S": "00",
  };
  return format.replaceAll(/%[a-zA-Z]/g, (name) => parts[name] ?? name);
}
