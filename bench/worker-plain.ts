/**
 * The plain side of `worker.bench.ts`: transformers and PEFT as a person writes them in an afternoon, without a server.
 * Driven over standard input, one JSON command and one JSON answer per line. Rows are padded to the longest.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";

const source = `
import json, sys, time
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM
config = json.loads(sys.argv[1])
torch.set_num_threads(config["threads"])
base = AutoModelForCausalLM.from_pretrained(config["folder"], dtype=torch.float32)
names = sorted({name.rsplit(".", 1)[-1] for name, part in base.named_modules() if isinstance(part, torch.nn.Linear)})
model = get_peft_model(base, LoraConfig(r=config["rank"], lora_alpha=32, target_modules=names, task_type="CAUSAL_LM"))
optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-4)
def padded(rows, side):
    width = max(map(len, rows))
    ids, mask = torch.zeros(len(rows), width, dtype=torch.long), torch.zeros(len(rows), width, dtype=torch.long)
    for row, values in enumerate(rows):
        place = slice(width - len(values), width) if side == "left" else slice(len(values))
        ids[row, place], mask[row, place] = torch.tensor(values), 1
    return ids, mask
def train(rows):
    model.train()
    ids, mask = padded(rows, "right")
    logits = model(input_ids=ids[:, :-1], attention_mask=mask[:, :-1], use_cache=False).logits
    losses = torch.nn.functional.cross_entropy(logits.transpose(1, 2), ids[:, 1:], reduction="none")
    (losses * mask[:, 1:]).sum().backward()
    optimizer.step()
    optimizer.zero_grad()
@torch.no_grad()
def sample(prompts, count):
    model.eval()
    ids, mask = padded(prompts, "left")
    with model.disable_adapter():
        model.generate(input_ids=ids, attention_mask=mask, do_sample=True, temperature=1.0, top_k=0, top_p=1.0,
                       max_new_tokens=count, min_new_tokens=count, pad_token_id=0)
for line in sys.stdin:
    command = json.loads(line)
    start = time.perf_counter()
    train(command["rows"]) if command["kind"] == "train" else sample(command["prompts"], command["count"])
    print(json.dumps({"seconds": time.perf_counter() - start}), flush=True)
`;

export interface PlainSettings {
  readonly folder: string;
  readonly threads: number;
  readonly rank: number;
}

export type PlainCommand =
  | { readonly kind: "train"; readonly rows: readonly (readonly number[])[] }
  | { readonly kind: "sample"; readonly prompts: readonly (readonly number[])[]; readonly count: number };

export class PlainProcess {
  private readonly process: ChildProcess;
  private readonly lines: AsyncIterator<string, undefined>;

  constructor(python: string, settings: PlainSettings) {
    this.process = spawn(python, ["-c", source, JSON.stringify(settings)], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    if (this.process.stdout === null) throw new Error("the Python process has no output");
    this.lines = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();
  }

  async seconds(command: PlainCommand): Promise<number> {
    this.process.stdin?.write(`${JSON.stringify(command)}\n`);
    const line: IteratorResult<string, undefined> = await this.lines.next();
    if (line.done === true) throw new Error("the Python process ended early");
    return (JSON.parse(line.value) as { readonly seconds: number }).seconds;
  }

  close(): void {
    this.process.stdin?.end();
  }
}
