/**
 * Cases that come out otherwise here, each with its reason; all others must be equal, and one that is equal after all must
 * leave this table.
 */
export const REASONS: Readonly<Record<string, string>> = {};
