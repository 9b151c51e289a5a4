/** How long to wait before the next attempt to connect. */

const FIRST_MS = 500;
const LONGEST_MS = 30_000;

/**
 * Milliseconds before attempt `attempt` (0, 1, 2 …): exponential, between half and all of the step, so that the
 * pages of a restarted server do not all come back in the same moment.
 */
export function backoff(attempt, random = Math.random) {
  const step = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 16));
  return step / 2 + (random() * step) / 2;
}
