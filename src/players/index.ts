/** What fills a seat. */
export { humanPlayer, type HumanPlayerOptions, type LineTerminal } from "./human-player.ts";
export { openingPlayer, type OpeningPlayerOptions } from "./opening-player.ts";
export { perfectPlayer, type OptimalReplies, type PerfectPlayerOptions } from "./perfect-player.ts";
export type { PlayerErrorCode } from "./player-errors.ts";
export type { Player, PlayerReply, PlayerRequest } from "./player.ts";
export { policyPlayer, type PolicyPlayerOptions } from "./policy-player.ts";
export { profilePlayer, type ProfilePlayerOptions } from "./profile-player.ts";
export { randomPlayer } from "./random-player.ts";
export { remotePlayer, type RemotePlayerOptions } from "./remote/remote-player.ts";
export { solvedPlayer, type SolvedPlayer } from "./solved-player.ts";
export { scriptedPlayer, type ScriptedPlayerOptions } from "./scripted-player.ts";
