/**
 * Discovery or keys cannot be had: the issuer's fault, never that of the caller who sent a token. Thrown inside
 * this folder only and caught in one place, so that a bug (`TypeError`) is never taken for an outage.
 */
export class IssuerFault extends Error {
  /** A stable word for the log. Never text that the issuer sent. */
  readonly reason: string;

  constructor(reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.name = 'IssuerFault';
    this.reason = reason;
  }
}
