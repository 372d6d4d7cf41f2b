import { isJsonObject } from '../issuer/json-object.ts';
import type { FlowFields } from './pinned-flow.ts';

export interface UserTokenFields extends FlowFields {
  readonly user_token: string;
}

export type UserTokenBody =
  | { readonly kind: 'parsed'; readonly fields: UserTokenFields }
  | { readonly kind: 'refused'; readonly detail: string };

/** The fields, for docs/openapi.json: {@link parseUserTokenBody} is what holds posts to them. */
export const USER_TOKEN_BODY = {
  type: 'object',
  required: ['user_token'],
  // A misspelt pin must not be taken for no pin: the flow would lose its veto without a word.
  additionalProperties: false,
  properties: {
    user_token: {
      type: 'string',
      minLength: 1,
      description: 'The JWT with which the user invoked the agent.',
    },
    authorization_url: {
      type: 'string',
      description: "AgentCore's, from the answer of GetResourceOauth2Token: pins that flow to this user.",
    },
    session_uri: { type: 'string', description: 'The id of that flow, where the URL is not at hand.' },
    return_to: {
      type: 'string',
      description: 'Where the browser goes when the flow is finished. Its origin is in RETURN_ORIGINS.',
    },
    label: { type: 'string', maxLength: 64, description: 'What pages call the connection.' },
  },
} as const;

const NAMES = Object.keys(USER_TOKEN_BODY.properties);

/**
 * Five strings. A validator that is made of a schema would be a fifth of the time and memory of a start
 * (docs/performance.md). What it says never echoes the client's own words.
 */
export function parseUserTokenBody(body: unknown): UserTokenBody {
  if (!isJsonObject(body)) return refused('it must be an object');
  const names = Object.keys(body);
  // A misspelt pin is no pin.
  if (!names.every((name) => NAMES.includes(name)))
    return refused(`it has fields other than ${NAMES.join(', ')}`);
  const wrong = names.find((name) => typeof body[name] !== 'string');
  if (wrong !== undefined) return refused(`${wrong} must be a string`);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- looked at one by one
  const fields = body as Partial<UserTokenFields>;
  const { user_token: userToken = '', label = '' } = fields;
  if (userToken === '') return refused('user_token must be there, and not be empty');
  const { maxLength } = USER_TOKEN_BODY.properties.label;
  if (Array.from(label).length > maxLength)
    return refused(`label must not have more than ${maxLength} characters`);
  return { kind: 'parsed', fields: { ...fields, user_token: userToken } };
}

function refused(problem: string): UserTokenBody {
  return { kind: 'refused', detail: `The body is not valid: ${problem}.` };
}
