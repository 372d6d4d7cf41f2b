import { readFileSync } from 'node:fs';

const dockerfile = readFileSync(new URL('../../Dockerfile', import.meta.url), 'utf8');
const [, uid = '', gid = ''] = /^USER (\d+):(\d+)$/m.exec(dockerfile) ?? [];
const [, healthCheck = '[]'] = /^HEALTHCHECK .*\\\n\s+CMD (\[.*\])$/m.exec(dockerfile) ?? [];

/** What the image says of itself, to which every deployment is held. */
export const IMAGE = {
  uid: Number(uid),
  gid: Number(gid),
  port: Number(/^EXPOSE (\d+)$/m.exec(dockerfile)?.[1]),
  healthCheck: JSON.parse(healthCheck) as readonly string[],
} as const;

/** Contract §10: requests in flight finish within ten seconds of the drain's end. */
export const IN_FLIGHT_SECONDS = 10;
