/** Plays episodes: order, limits, deadlines, records, failures. */
export {
  playEpisodes,
  type EpisodeTask,
  type PlayedEpisode,
  type PlayEpisodesOptions,
  type RolloutStep,
  type Seats,
} from "./play-episodes.ts";
export type { Service } from "./table-options.ts";
