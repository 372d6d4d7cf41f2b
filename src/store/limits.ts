/** How much every store keeps, besides what the domain and the ports say (contract §8). */

export const MAX_USER_TOKENS_PER_USER = 8;
/** In 24 hours: far above any person, far below a store, which one user must not fill (SB-22). */
export const MAX_ATTEMPTS_PER_USER = 512;
export const COMPLETION_KEPT_MS = 24 * 60 * 60_000;
