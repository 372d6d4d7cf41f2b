/** The committed document. */
export const FILE: string;

/** The document as it should be, as text, from the routes as they are registered. */
export function describeService(): Promise<string>;
