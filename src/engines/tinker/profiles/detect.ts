/** Which profile a server gets where none was named: a server of ours says so, the hosted one is known by its name. */
import type { Capability } from "../../../contract/index.ts";
import { capabilityMeanings } from "../../../contract/index.ts";
import { tinkerError } from "../errors.ts";
import type { Profile, ProfileId } from "../client/profile.ts";
import type { ServerCapabilities } from "../wire/answers.ts";
import { hosted } from "./hosted.ts";
import { skyrlJax } from "./skyrl-jax.ts";
import { skyrl } from "./skyrl.ts";
import { spar } from "./spar.ts";
import { verl } from "./verl.ts";

/** In the order of documentation. */
export const profiles: readonly Profile[] = [hosted, skyrl, skyrlJax, verl, spar];

const hostedHost = /(^|\.)thinkingmachines\.(dev|ai)$/u;

/** @throws `request-refused` where it must be named */
export function detectProfile(options: {
  readonly asked: ProfileId | undefined;
  readonly url: string;
  readonly server: ServerCapabilities;
}): Profile {
  const { asked, url, server } = options;
  const found = profiles.find(({ id }) => id === asked);
  if (asked !== undefined && found === undefined) {
    throw tinkerError("request-refused", `expected one of the profiles ${ids()}, got ${asked}`);
  }
  if ((found?.id ?? "spar") === "spar" && server.spar !== undefined) {
    return { ...spar, capabilities: server.spar.capabilities.filter(isCapability) };
  }
  if (found !== undefined) return found;
  if (hostedHost.test(new URL(url).hostname)) return hosted;
  throw tinkerError("request-refused", `expected a server that says what it is, ${url} does not`, {
    hint: `name its profile: ${ids()}; on the command line --engine tinker:skyrl`,
  });
}

function ids(): string {
  return profiles.map(({ id }) => id).join(", ");
}

/** Words of a newer server are passed over. */
function isCapability(word: string): word is Capability {
  return Object.hasOwn(capabilityMeanings, word);
}
