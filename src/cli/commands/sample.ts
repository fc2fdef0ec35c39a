/** `spar sample RUN`: prompts of one's own to the oldest weights that a run kept and to its newest. */
import type { Command } from "commander";
import { isSparError } from "../../base/index.ts";
import type { Engine } from "../../contract/index.ts";
import type { PromptRenderer } from "../../text/index.ts";
import type { SavedPolicy, SavedWeights } from "../../train/index.ts";
import { findEngine, startEngine } from "../discovery/engines.ts";
import { openRun } from "../discovery/open-run.ts";
import { reportFailure } from "../failure.ts";
import { answer, type SampleSettings } from "../sample/answer.ts";
import { loadWeights, tokenizerOf, type LoadedWeights } from "../sample/load-weights.ts";
import { choosePolicy } from "../sample/choose-policy.ts";
import { keptPolicies } from "../sample/kept-policies.ts";
import { rendererOf } from "../sample/run-renderer.ts";
import { answerLines } from "../sample/show-answers.ts";
import type { Shell } from "../shell.ts";
import { decimalNumber, wholeNumber } from "./number-argument.ts";
import { addEngineOptions, engineSettings, type EngineOptions } from "./engine-options.ts";
import { addCommonOptions, collect } from "./recipe-options.ts";

interface SampleOptions extends SampleSettings, EngineOptions {
  readonly prompt: readonly string[];
  readonly policy?: string;
  readonly engine?: string;
  readonly recipe?: string;
  readonly runsFolder?: string;
  readonly json?: boolean;
}

export function addSampleCommand(program: Command, shell: Shell): void {
  const command = addEngineOptions(program.command("sample <run>"))
    .description(
      "try the trained model: answers of the oldest version that the run kept and of its newest, side by side",
    )
    .option(
      "--prompt <text>",
      "a prompt; may be repeated. Without one, prompts are lines of standard input",
      collect,
      [],
    )
    .option("--policy <name>", "which model of the run; else the one that it made first")
    .option("--temperature <number>", "0 takes the likeliest token", decimalNumber({ minimum: 0 }), 1)
    .option("--count <count>", "answers per prompt", wholeNumber({ minimum: 1, maximum: 1000 }), 1)
    .option("--max-tokens <count>", "longest answer", wholeNumber({ minimum: 1 }), 256)
    .option("--seed <number>", "where the randomness comes from", wholeNumber({ minimum: 0 }), 1)
    .option("-e, --engine <id>", "what holds the tensors; else the engine of the run")
    .option("--recipe <path>", "the recipe file, where the run was begun with one of yours")
    .option("--runs-folder <folder>", "where runs are kept; else SPAR_RUNS, else ./runs")
    .option("--json", "print one JSON object per prompt")
    .action((run: string, options: SampleOptions) => sample(run, options, shell));
  addCommonOptions(command);
}

async function sample(typed: string, options: SampleOptions, shell: Shell): Promise<void> {
  const { workingFolder, place } = shell;
  using reader = openRun(typed, options.runsFolder, shell);
  const policy = choosePolicy(keptPolicies(reader), options.policy);
  const located = await findEngine({
    typed: options.engine ?? reader.manifest.engine.name,
    place,
    workingFolder,
  });
  const engine = await startEngine(
    located,
    engineSettings(located, options, shell, reader.manifest.engine.options),
  );
  try {
    const loaded: LoadedWeights[] = [];
    for (const weights of firstAndLast(policy)) loaded.push(await loadWeights({ engine, reader, weights }));
    const [start] = loaded;
    if (start === undefined) return;
    const tokenizer = await tokenizerOf(reader, policy, start.model);
    const renderer = await rendererOf({ reader, tokenizer, recipe: options.recipe, shell });
    for await (const prompt of promptsOf(options, shell)) {
      await tellPromptErrors(
        showPrompt({ prompt, engine, renderer, loaded, options, shell }),
        options,
        shell,
      );
    }
  } finally {
    await engine.close();
  }
}

function firstAndLast({ weights }: SavedPolicy): SavedWeights[] {
  const [first] = weights;
  const last = weights.at(-1) ?? first;
  return last === first ? [first] : [first, last];
}

async function* promptsOf(options: SampleOptions, shell: Shell): AsyncGenerator<string> {
  if (options.prompt.length > 0) return yield* options.prompt;
  if (shell.input.isTerminal) shell.screen.notice("type a prompt and press Enter; ctrl-D ends");
  for await (const line of shell.input.lines()) if (line !== "") yield line;
}

/** Whoever types prompts can type a better one; a list of prompts is refused at the first bad one. */
async function tellPromptErrors(shown: Promise<void>, options: SampleOptions, shell: Shell): Promise<void> {
  try {
    await shown;
  } catch (thrown) {
    const isTyped = options.prompt.length === 0 && shell.input.isTerminal;
    if (!isTyped || !isSparError(thrown) || thrown.boundary !== "text") throw thrown;
    const { screen, workingFolder } = shell;
    const report = { style: screen.errorStyle, isVerbose: false, workingFolder };
    screen.notice(...reportFailure(thrown, report));
  }
}

async function showPrompt(request: {
  readonly prompt: string;
  readonly engine: Engine;
  readonly renderer: PromptRenderer;
  readonly loaded: readonly LoadedWeights[];
  readonly options: SampleOptions;
  readonly shell: Shell;
}): Promise<void> {
  const { loaded, options, shell, ...rest } = request;
  const versions = await Promise.all(
    loaded.map(async (weights) => ({
      label: weights.label,
      answers: await answer({ ...rest, weights, settings: options }),
    })),
  );
  const { style, maximumWidth } = shell.screen;
  const { prompt } = request;
  if (options.json === true) shell.screen.print(JSON.stringify({ prompt, versions }));
  else shell.screen.print(...answerLines({ prompt, versions, style, maximumWidth }), "");
}
