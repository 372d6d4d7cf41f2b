import { type JsonObject, parseJsonObject } from '../issuer/json-object.ts';

/** Whose identity headers count (`ALB_ARN`, `ALB_CLIENT_ID`). */
export interface TrustedLoadBalancer {
  readonly arn: string;
  readonly clientId: string;
}

/** `x-amzn-oidc-data` taken apart. Nothing in it is verified yet: only `kid` may be acted on. */
export interface SignedHeader {
  readonly kind: 'parsed';
  readonly kid: string;
  readonly issuer: string;
  readonly unverifiedClaims: JsonObject;
  /** What the signature is over: the characters as they came, padding included. */
  readonly signedText: string;
  /** `R || S`, 64 bytes. */
  readonly signature: Uint8Array;
}

export interface SignedHeaderRefusal {
  readonly kind: 'refused';
  readonly reason:
    | 'malformed'
    | 'algorithm_not_allowed'
    | 'critical_header'
    | 'wrong_kid'
    | 'wrong_signer'
    | 'wrong_client'
    | 'expired';
}

// The load balancer pads its base64url, which RFC 7515 forbids and strict libraries refuse.
const PADDED_BASE64URL = /^[A-Za-z0-9_-]+={0,2}$/;
/** It becomes the last part of a URL's path, and nothing else of that URL (SB-20). */
const KID = /^[A-Za-z0-9_-]{1,64}$/;
const SIGNATURE_BYTES = 64;

/**
 * The parts of a load balancer's identity header that are worth asking for a key about.
 * @see https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-authenticate-users.html
 */
export function parseSignedHeader(
  text: string,
  { arn, clientId }: TrustedLoadBalancer,
  nowMs: number,
): SignedHeader | SignedHeaderRefusal {
  const parts = text.split('.');
  if (parts.length !== 3 || !parts.every((part) => PADDED_BASE64URL.test(part))) return refused('malformed');
  const [headerBytes, claimBytes, signature] = parts.map((part) => Buffer.from(part, 'base64url'));
  const header = headerBytes && parseJsonObject(headerBytes);
  const unverifiedClaims = claimBytes && parseJsonObject(claimBytes);
  if (header === undefined || unverifiedClaims === undefined) return refused('malformed');

  const { alg, crit, kid, signer, client, iss, exp } = header;
  if (alg !== 'ES256') return refused('algorithm_not_allowed');
  // We know no extension, so none that must be understood can be (RFC 7515 section 4.1.11).
  if (crit !== undefined) return refused('critical_header');
  if (typeof kid !== 'string' || !KID.test(kid)) return refused('wrong_kid');
  // The endpoint hands out the keys of every load balancer of the region: without these two anybody's own one, or
  // another application behind ours, could sign users in here (SB-20).
  if (signer !== arn) return refused('wrong_signer');
  if (client !== clientId) return refused('wrong_client');
  if (typeof iss !== 'string') return refused('malformed');
  if (typeof exp !== 'number' || !(exp * 1000 > nowMs)) return refused('expired');
  if (signature?.byteLength !== SIGNATURE_BYTES) return refused('malformed');
  const signedText = text.slice(0, text.lastIndexOf('.'));
  return { kind: 'parsed', kid, issuer: iss, unverifiedClaims, signedText, signature };
}

function refused(reason: SignedHeaderRefusal['reason']): SignedHeaderRefusal {
  return { kind: 'refused', reason };
}
