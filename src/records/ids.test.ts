import { expect, test } from "vitest";
import { callIdOf, compareEpisodeIds, episodeIdOf, episodeIdsOf, turnIdOf } from "./ids.ts";

test("ids say where a record stands", () => {
  const episode = episodeIdOf("iteration-1", "answers", 12);
  expect(episode).toBe("iteration-1/answers#12");
  expect(episode).toBe(`${episodeIdsOf("iteration-1", "answers")}12`);
  expect(callIdOf(episode, 4)).toBe("iteration-1/answers#12:4");
  for (const sequence of [0, 3, 63, 64, 1000])
    for (const sibling of [0, 1, 70])
      expect(turnIdOf(episode, sequence, sibling)).toBe(`iteration-1/answers#12:${sequence}.${sibling}`);
});

test("episodes of one play are in the order of their numbers", () => {
  const ids = ["b#1", "a#10", "a#2", "a#1"];
  expect(ids.toSorted(compareEpisodeIds)).toEqual(["a#1", "a#2", "a#10", "b#1"]);
});
