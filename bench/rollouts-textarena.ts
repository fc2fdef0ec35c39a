/**
 * The TextArena side of `rollouts.bench.ts`: its tic-tac-toe as its documentation plays it, an environment per
 * game, with two players who pick among the moves that the observation lists. Driven over standard input, one JSON
 * command and one JSON answer per line; nothing is stored.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";

/** The version that the figures are compared with. */
export const textArenaVersion = "0.7.4";

const source = `
import json, random, re, sys, time
import textarena as ta
chance = random.Random(1)
listed = re.compile(r"'\\[(\\d)\\]'")
def play(games):
    turns = 0
    for game in range(games):
        env = ta.make("TicTacToe-v0")
        env.reset(num_players=2, seed=game)
        done = False
        while not done:
            player, observation = env.get_observation()
            moves = listed.findall(observation[observation.rfind("Available Moves"):])
            done, _ = env.step("[" + chance.choice(moves) + "]")
            turns += 1
        env.close()
    return turns
for line in sys.stdin:
    start, cpu = time.perf_counter(), time.process_time()
    turns = play(json.loads(line)["games"])
    print(json.dumps({"turns": turns, "seconds": time.perf_counter() - start, "cpuSeconds": time.process_time() - cpu}), flush=True)
`;

export interface TextArenaAnswer {
  readonly turns: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

export class TextArenaProcess {
  private readonly process: ChildProcess;
  private readonly lines: AsyncIterator<string, undefined>;

  constructor(python: string) {
    this.process = spawn(python, ["-c", source], { stdio: ["pipe", "pipe", "inherit"] });
    if (this.process.stdout === null) throw new Error("the Python process has no output");
    this.lines = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();
  }

  async play(games: number): Promise<TextArenaAnswer> {
    this.process.stdin?.write(`${JSON.stringify({ games })}\n`);
    const line: IteratorResult<string, undefined> = await this.lines.next();
    if (line.done === true) throw new Error("the Python process ended early");
    return JSON.parse(line.value) as TextArenaAnswer;
  }

  close(): void {
    this.process.stdin?.end();
  }
}
