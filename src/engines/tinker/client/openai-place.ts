/**
 * Where OpenAI clients find a model of a server: address, name and key, as `remotePlayer` of `spar/players` takes them.
 * Asks nothing and sends nothing.
 */
import { tinkerError } from "../errors.ts";
import type { Connection } from "./connection.ts";
import type { SampleSource } from "./samplers.ts";

export interface OpenAiPlace {
  /** The root of the protocol: `/chat/completions` stands behind it. */
  readonly baseUrl: string;
  /** A base model, or the path of saved weights. */
  readonly model: string;
  readonly apiKey: string | null;
}

/**
 * The key is given anew, since a connection shows it to nobody.
 *
 * @throws `request-refused` where the server has no such path
 */
export function openAiPlace(
  connection: Connection,
  options: { readonly source: SampleSource; readonly key?: string | null },
): OpenAiPlace {
  const { profile, url } = connection;
  if (!profile.hasOpenAiPath) {
    throw tinkerError("request-refused", `${profile.title} has no path for OpenAI clients`, {
      hint: "sample through the connection, or export the weights and serve them with another program",
    });
  }
  const { source, key = null } = options;
  return {
    baseUrl: `${url}/oai/api/v1`,
    model: source.kind === "weights" ? source.path : source.name,
    apiKey: key,
  };
}
