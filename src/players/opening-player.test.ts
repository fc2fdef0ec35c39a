import { expect, test } from "vitest";
import { describePlayer, playerRequest } from "../testing/index.ts";
import { openingPlayer } from "./opening-player.ts";
import type { Player } from "./player.ts";
import { randomPlayer } from "./random-player.ts";
import { scriptedPlayer } from "./scripted-player.ts";

const continuing = scriptedPlayer({ name: "second", reply: () => "b" });
const createPlayer = (): Player => openingPlayer({ opening: randomPlayer(), continuing });

describePlayer({
  name: "a player after an opening",
  createPlayer,
  createWaitingPlayer: () =>
    openingPlayer({
      opening: scriptedPlayer({ name: "thinker", reply: () => new Promise<never>(() => undefined) }),
      continuing,
    }),
  isDeterministic: true,
});

test("the first reply of a conversation is the opening's, all others are the other's", async () => {
  const text = async (history: readonly string[]): Promise<string | undefined> => {
    const segments = history.map((said) => ({
      kind: "text" as const,
      role: "assistant" as const,
      text: said,
    }));
    const [reply] = await createPlayer().reply(playerRequest({ choices: ["a"], history: segments }), {});
    return reply?.kind === "reply" ? reply.text : undefined;
  };
  expect([await text([]), await text(["a"]), await text(["a", "b"])]).toEqual(["a", "b", "b"]);
});

test("the record names both", () => {
  expect(createPlayer().reference).toEqual({ kind: "scripted", name: "second after random", version: null });
});
