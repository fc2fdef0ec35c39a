/**
 * Trains a tiny transformer on one line of text until it can continue it, on the embedded engine. Everything that
 * training is in spar: a tokenizer, a model, rows, two calls per update, a published version, a sample. Takes a few
 * seconds.
 *
 * Run: node train-a-tiny-model.ts
 */
import { tokens } from "spar/contract";
import { createEngine } from "spar/engines/embedded";
import { characterTokenizer, datumFromSegments } from "spar/text";

const line = "whoever plays against an equal learns from every game";
const prompt = "whoever";

const tokenizer = characterTokenizer({ symbols: "abcdefghijklmnopqrstuvwxyz " });
const engine = createEngine({});
const model = await engine.createModel({
  name: "line",
  from: {
    kind: "architecture",
    architecture: {
      vocabularySize: tokenizer.vocabularySize,
      contextLength: 64,
      width: 32,
      layerCount: 2,
      headCount: 2,
    },
    seed: 1,
  },
  tokenizer: tokenizer.definition,
});

// The prompt is context, the rest is trained, and `close` adds the stop token.
const row = datumFromSegments(
  [
    { text: prompt, train: false },
    { text: line.slice(prompt.length), train: true, close: true },
  ],
  { tokenizer },
);

for (let update = 1; update <= 60; update++) {
  // Sent together: calls on one model execute in the order in which they were made.
  const [{ loss }] = await Promise.all([
    model.forwardBackward([row], { kind: "crossEntropy" }),
    model.optimStep({ kind: "adam", learningRate: 3e-3 }),
  ]);
  if (update % 20 === 0) console.log(`update ${update}: loss ${loss.toFixed(2)} nats, summed over the line`);
}

const version = await model.publish();
const { sequences } = await engine.sample(version, {
  prompt: [tokens(tokenizer.encode(prompt))],
  parameters: {
    maxTokens: 60,
    temperature: 0,
    seed: 1,
    ...(tokenizer.endOfTextId === null ? {} : { stopTokenIds: [tokenizer.endOfTextId] }),
  },
});
const [sample] = sequences;
console.log(`${prompt}|${tokenizer.decode(sample?.tokenIds ?? [], { skipSpecial: true })}`);
await engine.close();
