/** The PyTorch worker as a process for `worker.bench.ts`, and a model between toys and real ones for it. */
import { spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const sources = fileURLToPath(new URL("../python/worker/src", import.meta.url));
const key = "tml-bench";

const write = `
import sys, torch
from transformers import LlamaConfig, LlamaForCausalLM
torch.manual_seed(0)
LlamaForCausalLM(LlamaConfig(vocab_size=4096, hidden_size=256, intermediate_size=768, num_hidden_layers=4,
    num_attention_heads=8, num_key_value_heads=4, max_position_embeddings=1024, bos_token_id=1, eos_token_id=2,
    tie_word_embeddings=True)).save_pretrained(sys.argv[1])
`;

/** Writes a Llama of 4 layers, width 256, 4,096 tokens, with random weights: 4.2 million numbers. */
export function writeSmallModel(python: string, folder: string): void {
  const { status, stderr } = spawnSync(python, ["-c", write, folder], { encoding: "utf8" });
  if (status !== 0)
    throw new Error(`the small model was not written; is this a Python with torch? ${stderr}`);
}

export interface BenchServer {
  readonly url: string;
  readonly key: string;
  readonly model: string;
  close(): Promise<void>;
}

export async function startServer(options: {
  readonly python: string;
  readonly folder: string;
  readonly stateFolder: string;
  readonly threads: number;
  readonly more: readonly string[];
}): Promise<BenchServer> {
  const { python, folder, stateFolder, threads, more } = options;
  const worker = spawn(
    python,
    [
      "-m",
      "spar_worker",
      `--model=model=${folder}`,
      `--state-folder=${stateFolder}`,
      `--threads=${threads}`,
      "--device=cpu",
      "--ends-with-input",
      ...more,
    ],
    {
      env: { ...process.env, PYTHONPATH: sources, SPAR_WORKER_KEY: key },
      stdio: ["pipe", "pipe", "inherit"],
    },
  );
  const ended = new Promise<void>((resolve) => void worker.once("exit", () => resolve()));
  const close = async (): Promise<void> => {
    worker.kill("SIGTERM");
    await ended;
  };
  const giveUp = setTimeout(() => worker.kill("SIGKILL"), 300_000);
  for await (const line of createInterface({ input: worker.stdout })) {
    clearTimeout(giveUp);
    return { url: (JSON.parse(line) as { readonly url: string }).url, key, model: "model", close };
  }
  throw new Error("the worker ended before it listened");
}
