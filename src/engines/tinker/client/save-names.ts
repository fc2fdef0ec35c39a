/** Names of saves where a name that exists is refused, and with it the repeat of a save whose answer was lost. */
import { pause } from "../../../base/index.ts";
import { leavesDoubt } from "./ordered-calls.ts";

export interface SaveOptions {
  /** A name of letters, digits, `-` and `_`; made up where none is given. */
  readonly name?: string;
  /** @unit seconds, from 3,600 on */
  readonly timeToLiveSeconds?: number;
  /** Where it goes instead, on a server of ours that shares the files of this machine; must not exist yet. */
  readonly folder?: string;
  /** Called when the server has taken the request, before the next call is sent. */
  readonly onSent?: () => void;
}

const mostSaves = 3;
const savePauseMs = 500;

/** A save changes nothing, so where a repeat would be refused it is made again under another name. */
export async function sendUntilTaken<T>(
  name: string,
  send: (name: string) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  for (let count = 0; ; count++) {
    try {
      return await send(count === 0 ? name : `${name}-${count}`);
    } catch (thrown) {
      if (!leavesDoubt(thrown) || count >= mostSaves) throw thrown;
      const what = "the pause before another save";
      await pause({ boundary: "engine", what, timeoutMs: savePauseMs, signal });
    }
  }
}
