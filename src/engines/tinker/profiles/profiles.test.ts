import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { capabilityMeanings } from "../../../contract/index.ts";
import type { ServerCapabilities } from "../wire/answers.ts";
import { detectProfile, profiles } from "./detect.ts";

const page = readFileSync(join(import.meta.dirname, "../../../../docs/engines/tinker.md"), "utf8");

const ours: ServerCapabilities = {
  models: [],
  spar: {
    protocol: 1,
    executor: "torch",
    precision: "float32",
    software: "a worker",
    capabilities: ["lora", "a-word-of-tomorrow"],
    sharesFiles: false,
  },
};
const theirs: ServerCapabilities = { models: [], spar: undefined };

describe("profiles", () => {
  test.each(profiles)(
    "$id: each departure and what it was tried on stands in the documentation",
    (profile) => {
      expect(page).toContain(`| \`${profile.id}\` | ${profile.title} | ${profile.tried} |`);
      const [, section = ""] = page.split(`### \`${profile.id}\`\n`);
      const rows = (section.split("\n## ")[0]?.split("\n### ")[0] ?? "").split("\n").slice(2);
      expect(rows.filter((row) => row.startsWith("|"))).toEqual(
        profile.departures.map(({ what, reason }) => `| ${what} | ${reason} |`),
      );
      for (const capability of profile.capabilities) expect(capabilityMeanings).toHaveProperty([capability]);
    },
  );

  test("a server of ours says what it is and what it can do; words that are not known yet are passed over", () => {
    const found = detectProfile({ asked: undefined, url: "http://127.0.0.1:1", server: ours });
    expect(found.id).toBe("spar");
    expect(found.capabilities).toEqual(["lora"]);
  });

  test("the hosted service is known by its name, others are named by the user", () => {
    const url = "https://tinker.thinkingmachines.dev/services/tinker-prod";
    expect(detectProfile({ asked: undefined, url, server: theirs }).id).toBe("hosted");
    expect(detectProfile({ asked: "skyrl", url: "http://gpu:8000", server: theirs }).id).toBe("skyrl");
    const unnamed = { asked: undefined, url: "http://thinkingmachines.dev.example:1", server: theirs };
    expect(() => detectProfile(unnamed)).toThrow(/expected a server that says what it is/);
  });
});
