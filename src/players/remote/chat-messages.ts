/** From a game's ask to messages of the chat protocol: what was said before, then the prompt. Knows no server. */
import type { Segment } from "../../games/index.ts";
import type { PlayerRequest } from "../player.ts";
import { playerError } from "../player-errors.ts";

export type ChatMessage = { readonly role: "system" | "user" | "assistant"; readonly content: string };

/**
 * The conversation, neighbouring segments of one role in one message. What the game puts into the
 * mouth of the seat comes last, as the beginning of the reply: servers that can go on from it do so.
 *
 * @throws `images-unsupported`
 */
export function chatMessages(request: PlayerRequest): ChatMessage[] {
  const forced: Segment[] =
    request.force === null ? [] : [{ kind: "text", role: "assistant", text: request.force }];
  const messages: ChatMessage[] = [];
  for (const segment of [...request.history, ...request.segments, ...forced]) {
    if (segment.kind === "image") throw imagesUnsupported(request.seat);
    const role = roleOf(segment.role);
    const last = messages.at(-1);
    if (last?.role === role) messages.splice(-1, 1, { role, content: last.content + segment.text });
    else messages.push({ role, content: segment.text });
  }
  return messages;
}

/** Roles that the protocol does not know speak as the user. */
function roleOf(role: string): ChatMessage["role"] {
  return role === "system" || role === "assistant" ? role : "user";
}

function imagesUnsupported(seat: string): Error {
  return playerError(
    "images-unsupported",
    `the ask of seat ${seat} holds an image, and a remote player is sent text alone`,
    { hint: "seat a policy of an engine with the capability images" },
  );
}
