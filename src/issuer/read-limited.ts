import { IssuerFault } from './issuer-fault.ts';

/**
 * The body of an issuer's answer, if it is small (SB-12).
 * @throws {IssuerFault} when it is not; and whatever the network throws.
 */
export async function readLimited(response: Response, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Counted while it arrives: Content-Length may be absent, may lie, and says nothing about a compressed body.
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new IssuerFault('too_large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
