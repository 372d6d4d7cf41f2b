/** One request that reached the emulated world, for drawing and asserting: it holds no secret and no id. */
export interface EmulatedCall {
  readonly to: 'agentcore' | 'cognito' | 'github' | 'google';
  /** An AWS operation's name, or the page or endpoint. */
  readonly what: string;
  /** `ok`, the exception's name, the fault that was played, or an HTTP status. */
  readonly answer: string;
  readonly atMs: number;
}
