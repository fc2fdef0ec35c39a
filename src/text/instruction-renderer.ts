/**
 * The Alpaca-style headers that the SPIN authors generate with: an instruction under one heading, the
 * answer under another, no system turn, no token for the beginning of a text.
 */
import { SparError } from "../base/index.ts";
import { tokenizerDigest } from "./tokenizer-files.ts";
import {
  assemblePrompt,
  decodeReply,
  exchangesOf,
  partOf,
  type PromptPart,
  type PromptRenderer,
  type PromptSegment,
} from "./prompt-renderer.ts";
import { joinTexts } from "./plain-renderer.ts";
import type { Tokenizer } from "./tokenizer.ts";

export interface InstructionRendererOptions {
  /** Default `### Instruction: `. */
  readonly instructionHeader?: string;
  /** Default `### Response: `. */
  readonly responseHeader?: string;
  /** Between an instruction, its answer and the next instruction. Default two newlines. */
  readonly separator?: string;
}

/**
 * A renderer with headers instead of roles.
 *
 * @paper arXiv:2401.01335v3 appendix B.1
 * @throws `role-unsupported` in `render` where a segment is neither of the system nor of the user.
 */
export function instructionRenderer(
  tokenizer: Tokenizer,
  options: InstructionRendererOptions = {},
): PromptRenderer {
  const {
    instructionHeader = "### Instruction: ",
    responseHeader = "### Response: ",
    separator = "\n\n",
  } = options;
  const stopTokenIds = tokenizer.endOfTextId === null ? [] : [tokenizer.endOfTextId];
  return {
    render: (segments, { context = [], history = [], images } = {}) => {
      const startsNewContext = context.length === 0;
      const instruction = (prompt: readonly PromptSegment[]): PromptPart[] => [
        { text: instructionHeader },
        ...prompt.map(instructionPart),
        { text: `${separator}${responseHeader}` },
      ];
      const earlier = exchangesOf(startsNewContext ? history : []).flatMap(({ prompt, reply }) => [
        ...instruction(prompt),
        partOf(reply),
        { text: separator },
      ]);
      const opening = startsNewContext ? earlier : [{ text: separator }];
      const parts = joinTexts([...opening, ...instruction(segments)]);
      return assemblePrompt(parts, {
        tokenizer,
        startsNewContext,
        ...(images === undefined ? {} : { images }),
      });
    },
    decode: (tokenIds) => decodeReply(tokenizer, stopTokenIds, tokenIds),
    stopTokenIds,
    describe: () => ({
      kind: "instruction",
      instructionHeader,
      responseHeader,
      separator,
      tokenizerDigest: tokenizerDigest(tokenizer.definition),
    }),
    tokenizer,
  };
}

function instructionPart(segment: PromptSegment): PromptPart {
  if (segment.role !== "user" && segment.role !== "system") {
    throw new SparError({
      code: "role-unsupported",
      boundary: "text",
      message: `instruction headers know the roles system and user, got a segment of ${segment.role}`,
      hint: "use chatRenderer for prompts with further roles",
      facts: { role: segment.role },
    });
  }
  return partOf(segment);
}
