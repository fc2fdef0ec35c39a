/**
 * The prompts and references that SPIN plays on: read, split, and turned into ids once. Every source
 * becomes the same list; nothing after this file knows where an example came from.
 */
import { canonicalJson, sha256, SparError, type Random } from "spar/base";
import type { TokenId } from "spar/contract";
import { parseHubAddress, readPrompts, type ReadOptions } from "spar/data";
import {
  characterTokenizer,
  chatRenderer,
  fitPairToContext,
  instructionRenderer,
  loadTokenizerFolder,
  plainRenderer,
  type PromptRenderer,
  type Tokenizer,
} from "spar/text";
import { loadAnnotations } from "./annotations.ts";
import type { SpinOptions } from "./options.ts";
import { isFolderName, shippedAnnotations, shippedProblems, tokenizerFolderOf } from "./sources.ts";
import { loadProblems } from "./problems.ts";

export interface Example {
  readonly id: string;
  readonly prompt: string;
  readonly answer: string;
}

export interface EncodedExample extends Example {
  readonly promptIds: readonly TokenId[];
  /** With the end marker, unless the answer was cut to the context. */
  readonly answerIds: readonly TokenId[];
  /** Prompt or answer did not fit the context whole. */
  readonly isCut: boolean;
  /** The prompt fills the context, so that nobody can answer it. */
  readonly isUnanswerable: boolean;
}

export interface SpinTask {
  readonly tokenizer: Tokenizer;
  readonly renderer: PromptRenderer;
  readonly training: readonly EncodedExample[];
  readonly heldOut: readonly EncodedExample[];
  /** Of everything that was read, so that a resumed run notices other data. */
  readonly digest: string;
  /** Examples whose prompt or answer did not fit and was cut. */
  readonly cutCount: number;
  /** References that no generated answer can equal, since it is cut before their end. */
  readonly tooLongCount: number;
  /** Records that repeat a prompt and were left out. */
  readonly repeatedCount: number;
}

export interface ExampleSplit {
  readonly training: readonly Example[];
  readonly heldOut: readonly Example[];
  /** Records that were left out, since their prompt had occurred before. */
  readonly repeatedCount: number;
}

/** What splits the data of a run. */
export function dataRandom(random: Random): Random {
  return random.split("data");
}

/**
 * Reads and encodes the examples that the options name.
 *
 * @throws `too-few-examples`, `prompts-too-long`, and what readers and tokenizers throw
 */
export async function loadTask(
  options: SpinOptions,
  random: Random,
  signal?: AbortSignal,
): Promise<SpinTask> {
  const split = await loadSplit(options, random, signal);
  const tokenizer = await openTokenizer(options, split);
  const renderer = rendererOf(options, tokenizer);
  const encode = (example: Example): EncodedExample => encodeExample(example, { renderer, options });
  const training = split.training.map(encode);
  const heldOut = split.heldOut.map(encode);
  if (training.every(({ isUnanswerable }) => isUnanswerable)) throw promptsTooLong(options, training.length);
  return {
    tokenizer,
    renderer,
    training,
    heldOut,
    digest: sha256(canonicalJson([split.training, split.heldOut].map(toRows))),
    repeatedCount: split.repeatedCount,
    cutCount: [...training, ...heldOut].filter(({ isCut }) => isCut).length,
    tooLongCount: [...training, ...heldOut].filter(
      ({ answerIds }) => answerIds.length > options.maxAnswerTokens,
    ).length,
  };
}

/** The examples without ids, for the plan. */
export async function loadSplit(
  options: SpinOptions,
  random: Random,
  signal?: AbortSignal,
): Promise<ExampleSplit> {
  const load = shipped.get(options.data) ?? loadPrompts;
  const { training, heldOut, repeatedCount } = await load(options, random, signal);
  const taken = options.exampleCount === 0 ? training : training.slice(0, options.exampleCount);
  if (taken.length === 0) {
    throw tooFewExamples(options, { found: training.length + heldOut.length, repeatedCount });
  }
  return { training: taken, heldOut, repeatedCount };
}

type SplitLoader = (options: SpinOptions, random: Random, signal?: AbortSignal) => Promise<ExampleSplit>;

/** What comes with the recipe, by its name; any other name is a source to read. */
const shipped: ReadonlyMap<string, SplitLoader> = new Map([
  [shippedAnnotations, loadAnnotations],
  [shippedProblems, loadProblems],
]);

/** A data set of the hub has its own test split; of a single file, some examples are held out by the seed. */
async function loadPrompts(
  options: SpinOptions,
  random: Random,
  signal?: AbortSignal,
): Promise<ExampleSplit> {
  const read = (split: string): Promise<UniqueExamples> =>
    readUnique(options.data, { split, ...(signal === undefined ? {} : { signal }) });
  const { examples, repeatedCount } = await read("train");
  const shuffled = random.split("split").shuffle(examples);
  if (isDataSet(options.data)) {
    const heldOut = (await read("test")).examples.slice(0, options.heldOutCount);
    const prompts = new Set(heldOut.map(({ prompt }) => prompt));
    return { heldOut, training: shuffled.filter(({ prompt }) => !prompts.has(prompt)), repeatedCount };
  }
  if (examples.length <= options.heldOutCount)
    throw tooFewExamples(options, { found: examples.length, repeatedCount });
  const { heldOutCount } = options;
  return { heldOut: shuffled.slice(0, heldOutCount), training: shuffled.slice(heldOutCount), repeatedCount };
}

/** `hf://owner/name`, perhaps with a revision, and no file of it. */
function isDataSet(source: string): boolean {
  return source.startsWith("hf://") && parseHubAddress(source).path === "";
}

interface UniqueExamples {
  readonly examples: readonly Example[];
  readonly repeatedCount: number;
}

/** The first record of each prompt: a prompt on both sides of the split would be no held-out prompt. */
async function readUnique(source: string, options: ReadOptions): Promise<UniqueExamples> {
  const byPrompt = new Map<string, Example>();
  let recordCount = 0;
  for await (const { id, prompt, answer } of readPrompts(source, options)) {
    recordCount += 1;
    if (!byPrompt.has(prompt)) byPrompt.set(prompt, { id, prompt, answer });
  }
  return { examples: [...byPrompt.values()], repeatedCount: recordCount - byPrompt.size };
}

async function openTokenizer(options: SpinOptions, split: ExampleSplit): Promise<Tokenizer> {
  const { baseModel, tokenizerFolder } = options;
  if (baseModel !== "" && tokenizerFolder === "" && !isFolderName(baseModel))
    throw tokenizerUnnamed(baseModel);
  if (baseModel !== "") return loadTokenizerFolder(tokenizerFolderOf(options));
  const texts = [...split.training, ...split.heldOut].flatMap(({ prompt, answer }) => [prompt, answer]);
  return characterTokenizer({ symbols: [...new Set(texts.flatMap((text) => [...text]))].toSorted() });
}

/** How a prompt becomes tokens: the same for answering, training and `spar sample`. */
export function rendererOf(options: SpinOptions, tokenizer: Tokenizer): PromptRenderer {
  switch (options.template) {
    case "plain":
      return plainRenderer(tokenizer);
    case "chat":
      return chatRenderer(tokenizer);
    case "instruction":
      return instructionRenderer(tokenizer);
  }
}

function encodeExample(
  example: Example,
  { renderer, options }: { readonly renderer: PromptRenderer; readonly options: SpinOptions },
): EncodedExample {
  const { tokenIds } = renderer.render([{ kind: "text", role: "user", text: example.prompt }]);
  const fitted = fitPairToContext(
    { promptIds: tokenIds, realIds: closedAnswer(example.answer, renderer), generatedIds: [] },
    { maxTokens: options.maxSequenceTokens, maxPromptTokens: options.maxPromptTokens },
  );
  const { promptIds, realIds: answerIds, isPromptCut, isRealCut } = fitted;
  const isUnanswerable = tokenIds.length >= options.maxSequenceTokens;
  return { ...example, promptIds, answerIds, isCut: isPromptCut || isRealCut, isUnanswerable };
}

/** The ids of an answer with its end marker. */
export function closedAnswer(answer: string, renderer: PromptRenderer): TokenId[] {
  return [...renderer.tokenizer.encode(answer), ...renderer.stopTokenIds.slice(0, 1)];
}

function toRows(examples: readonly Example[]): string[][] {
  return examples.map(({ id, prompt, answer }) => [id, prompt, answer]);
}

/** Engines fetch models, and recipes read tokenizers: there is none where only the engine knows the name. */
function tokenizerUnnamed(baseModel: string): SparError {
  return new SparError({
    code: "tokenizer-not-found",
    boundary: "data",
    message: `expected a folder with the tokenizer of ${baseModel}, which is a name that the engine alone knows`,
    hint: "--set tokenizerFolder=./folder, with its tokenizer.json, tokenizer_config.json and chat template",
  });
}

function promptsTooLong(options: SpinOptions, count: number): SparError {
  return new SparError({
    code: "prompts-too-long",
    boundary: "data",
    message: `expected prompts of ${options.data} to leave room for an answer in maxSequenceTokens = ${options.maxSequenceTokens}, all ${count} fill it`,
    hint: "raise maxSequenceTokens, or shorten the prompts",
    facts: { count, maxSequenceTokens: options.maxSequenceTokens },
  });
}

function tooFewExamples(
  options: SpinOptions,
  { found, repeatedCount }: { readonly found: number; readonly repeatedCount: number },
): SparError {
  const { heldOutCount, data } = options;
  const repeated = repeatedCount === 0 ? "" : `, and ${repeatedCount} more records that repeat a prompt`;
  return new SparError({
    code: "too-few-examples",
    boundary: "data",
    message: `expected more than heldOutCount = ${heldOutCount} examples with prompts of their own in ${data}, found ${found}${repeated}`,
    hint: "lower heldOutCount, or name more data with --set data=...",
    facts: { found, heldOutCount, repeatedCount },
  });
}
