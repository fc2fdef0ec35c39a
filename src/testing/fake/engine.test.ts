import { describeEngine } from "../describe-engine.ts";
import { createFakeEngine } from "./engine.ts";

describeEngine({ name: "the fake engine", createEngine: () => createFakeEngine() });

describeEngine({
  name: "the fake engine with little of what it could do",
  createEngine: () =>
    createFakeEngine({
      without: [
        "images",
        "prompt-logprobs",
        "entropies",
        "values",
        "embeddings",
        "one-pass-custom-loss",
        "loss:dro",
        "loss:cispo",
        "optimizer:sgd",
        "optimizer:rmsprop",
        "lora",
        "several-models",
        "discard-gradients",
        "deterministic",
        "batch-invariant",
        "cancel",
      ],
    }),
  skip: [
    {
      test: "adam: decay is part of the gradient",
      reason: "shows that a test can be skipped by title with a reason",
    },
  ],
});
