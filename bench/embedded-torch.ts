/**
 * The PyTorch side of `embedded.bench.ts`: the same transformer written the usual way, driven over standard input,
 * one JSON command and one JSON answer per line. It exists to be compared with, so it uses what PyTorch offers:
 * fused attention, one product for query, key and value, a preallocated cache, no gradients while sampling.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";

const source = `
import json, sys, time
import torch
import torch.nn.functional as F
config = json.loads(sys.argv[1])
torch.set_num_threads(config["threads"])
V, C, D, L, H = (config[k] for k in ("vocabularySize", "contextLength", "width", "layerCount", "headCount"))
d = D // H
torch.manual_seed(0)
angles = torch.outer(torch.arange(C).float(), 10000 ** (-torch.arange(d // 2).float() / (d // 2)))
cos, sin = torch.cat([angles.cos()] * 2, -1), torch.cat([angles.sin()] * 2, -1)
def rotate(x, c, s):
    a, b = x.chunk(2, -1)
    return x * c + torch.cat([-b, a], -1) * s
class Layer(torch.nn.Module):
    def __init__(self):
        super().__init__()
        linear = lambda i, o: torch.nn.Linear(i, o, bias=False)
        self.n1, self.n2 = torch.nn.RMSNorm(D, eps=1e-5), torch.nn.RMSNorm(D, eps=1e-5)
        self.qkv, self.out = linear(D, 3 * D), linear(D, D)
        self.up, self.down = linear(D, 4 * D), linear(4 * D, D)
    def forward(self, x, start, cache=None):
        B, T, _ = x.shape
        q, k, v = self.qkv(self.n1(x)).view(B, T, 3, H, d).permute(2, 0, 3, 1, 4)
        q, k = rotate(q, cos[start:start + T], sin[start:start + T]), rotate(k, cos[start:start + T], sin[start:start + T])
        if cache is None:
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        else:
            cache[0][:, :, start:start + T], cache[1][:, :, start:start + T] = k, v
            y = F.scaled_dot_product_attention(q, cache[0][:, :, :start + T], cache[1][:, :, :start + T])
        x = x + self.out(y.transpose(1, 2).reshape(B, T, D))
        return x + self.down(F.gelu(self.up(self.n2(x)), approximate="tanh"))
class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = torch.nn.Embedding(V, D)
        self.layers = torch.nn.ModuleList([Layer() for _ in range(L)])
        self.norm = torch.nn.RMSNorm(D, eps=1e-5)
    def forward(self, ids, start=0, caches=None):
        x = self.embedding(ids)
        for index, layer in enumerate(self.layers):
            x = layer(x, start, None if caches is None else caches[index])
        return F.linear(self.norm(x), self.embedding.weight)
model = Model()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
def train(B, steps):
    ids = torch.randint(0, V, (B, C + 1))
    for _ in range(steps):
        optimizer.zero_grad()
        logits = model(ids[:, :-1])
        F.cross_entropy(logits.reshape(-1, V), ids[:, 1:].reshape(-1), reduction="sum").backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    return B * C * steps
@torch.inference_mode()
def sample(B, prompt, count):
    caches = [(torch.zeros(B, H, C, d), torch.zeros(B, H, C, d)) for _ in range(L)]
    logits = model(torch.randint(0, V, (1, prompt)).expand(B, prompt), 0, caches)[:, -1] if prompt == 1 else None
    if logits is None:
        ids = torch.randint(0, V, (1, prompt)).expand(B, prompt)
        for t in range(prompt):
            logits = model(ids[:, t:t + 1], t, caches)[:, -1]
    for t in range(prompt, prompt + count):
        logprobs = logits.log_softmax(-1)
        ids = torch.multinomial(logprobs.exp(), 1)
        logprobs.gather(1, ids)
        if t + 1 < prompt + count:
            logits = model(ids, t, caches)[:, -1]
    return B * count
for line in sys.stdin:
    command = json.loads(line)
    start = time.perf_counter()
    tokens = train(command["rows"], command["steps"]) if command["kind"] == "train" else sample(command["rows"], command["prompt"], command["count"])
    print(json.dumps({"tokensPerSecond": tokens / (time.perf_counter() - start), "version": torch.__version__}), flush=True)
`;

export interface TorchSettings {
  readonly vocabularySize: number;
  readonly contextLength: number;
  readonly width: number;
  readonly layerCount: number;
  readonly headCount: number;
  readonly threads: number;
}

export type TorchCommand =
  | { readonly kind: "train"; readonly rows: number; readonly steps: number }
  | { readonly kind: "sample"; readonly rows: number; readonly prompt: number; readonly count: number };

export interface TorchAnswer {
  readonly tokensPerSecond: number;
  readonly version: string;
}

export class TorchProcess {
  private readonly process: ChildProcess;
  private readonly lines: AsyncIterator<string, undefined>;

  constructor(python: string, settings: TorchSettings) {
    this.process = spawn(python, ["-c", source, JSON.stringify(settings)], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    if (this.process.stdout === null) throw new Error("the Python process has no output");
    this.lines = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();
  }

  async measure(command: TorchCommand): Promise<TorchAnswer> {
    this.process.stdin?.write(`${JSON.stringify(command)}\n`);
    const line: IteratorResult<string, undefined> = await this.lines.next();
    if (line.done === true) throw new Error("the Python process ended early");
    return JSON.parse(line.value) as TorchAnswer;
  }

  close(): void {
    this.process.stdin?.end();
  }
}
