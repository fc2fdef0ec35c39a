/**
 * Programs that end with this process, whatever ends it: each runs in a group of its own under a shell that waits for
 * its standard input, a pipe to this process, to end, and then ends the group. For Linux and macOS.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";

export interface WatchedOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** A file that takes what it prints; left out, it prints where this process does. */
  readonly output?: number;
}

export interface Watched {
  /** Fires with the exit code of the program; its children may go on. */
  readonly exited: Promise<number>;
  /** Ends the whole group, and waits until it is gone. */
  stop(): Promise<void>;
}

/** The shell is told to end with its group, by a signal that it cannot miss; until then it hears none. */
const script = `
trap : TERM INT
{ "$@" </dev/null 3>&-; echo $? >&3; } &
cat >/dev/null
kill -TERM 0
sleep 3
kill -KILL 0
`;

export function startWatched(command: readonly string[], options: WatchedOptions = {}): Watched {
  const output = options.output ?? "inherit";
  const child = spawn("sh", ["-c", script, "sh", ...command], {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: options.env }),
    detached: true,
    stdio: ["pipe", output, output, "pipe"],
  });
  const closed = once(child, "close");
  const exited = new Promise<number>((resolve) => {
    child.stdio[3]?.once("data", (text: Buffer) => resolve(Number(text.toString("utf8"))));
    void closed.then(() => resolve(1));
  });
  return {
    exited,
    stop: async () => {
      child.stdin?.end();
      await closed;
    },
  };
}
