/** The canary of a run: after each publication the sampler must answer with the weights that it was given. */
import type { CallOptions } from "../base/index.ts";
import { checkCanary, tokens, type Engine, type Model, type PolicyVersion } from "../contract/index.ts";

/** Valid on any model, since every vocabulary has these ids. */
const prompt = [tokens([0, 1])];

/**
 * Compares what the sampler says of a version with what the model that it was published from says.
 *
 * @throws `stale-sampler`
 */
export async function proveSampler(
  published: { readonly engine: Engine; readonly model: Model; readonly version: PolicyVersion },
  call: CallOptions,
): Promise<void> {
  await checkCanary({ ...published, prompt, ...call });
}
