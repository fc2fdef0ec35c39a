/** What fills a seat. */
export type { Player, PlayerReply, PlayerRequest } from "./player.ts";
export { policyPlayer, type PolicyPlayerOptions } from "./policy-player.ts";
export { scriptedPlayer, type ScriptedPlayerOptions } from "./scripted-player.ts";
