/** Plays episodes: order, limits, deadlines, records, failures. */
export { longestReplyCharacters } from "./check-replies.ts";
export { playEpisodes } from "./play-episodes.ts";
export type { EpisodeTask, PlayedEpisode, PlayEpisodesOptions, RolloutStep, Seats } from "./play-options.ts";
export type { Service } from "./table-options.ts";
export { unrecorded, unrecordedStep } from "./unrecorded.ts";
