import { expect, test } from "vitest";
import type { TurnView } from "../games/index.ts";
import type { Player, PlayerRequest } from "../players/index.ts";
import { playOne, speaker, user } from "../../test/fixtures/rollouts/duel.ts";

/** What was said before, in words, in each request. */
function listener(): { readonly player: Player; readonly heard: string[] } {
  const heard: string[] = [];
  const words = ({ history }: PlayerRequest): string =>
    history
      .map((segment) => (segment.kind === "text" ? `${segment.role} ${segment.text}` : "image"))
      .join("; ");
  const inner = speaker("a");
  const player: Player = {
    ...inner,
    reply: async (request, call) => {
      heard.push(words(request));
      const replies = await inner.reply(request, call);
      return replies.map((reply) =>
        reply.kind === "reply" ? { ...reply, text: `answer ${heard.length}` } : reply,
      );
    },
  };
  return { player, heard };
}

const said = (text: string, from?: TurnView) => ({
  prompt: [user(text)],
  parse: (reply: string) => reply,
  from,
});

test("what was said before is the chain of asks that led there, oldest first", async () => {
  const { player, heard } = listener();
  await playOne(
    async (table) => {
      const first = await table.ask("one", said("1"));
      if (first.kind !== "turn") return "limit";
      const second = await table.ask("one", said("2", first.turn));
      if (second.kind !== "turn") return "limit";
      await table.ask("one", { ...said("3", second.turn), prompt: [user("3"), user("and more")] });
      await table.ask("one", said("other", first.turn));
      return "";
    },
    { seats: { one: player } },
  );
  expect(heard).toEqual([
    "",
    "user 1; assistant answer 1",
    "user 1; assistant answer 1; user 2; assistant answer 2",
    "user 1; assistant answer 1",
  ]);
});

test("a game may go on from a copy of what it was told, or from one whose id it changed", async () => {
  const { player, heard } = listener();
  await playOne(
    async (table) => {
      const first = await table.ask("one", said("1"));
      const second = await table.ask("one", said("2"));
      if (first.kind !== "turn" || second.kind !== "turn") return "limit";
      await table.ask("one", said("copy", { ...first.turn }));
      await table.ask("one", said("changed", Object.assign(second.turn, { turnId: first.turn.turnId })));
      return "";
    },
    { seats: { one: player } },
  );
  expect(heard.slice(2)).toEqual(["user 1; assistant answer 1", "user 1; assistant answer 1"]);
});
