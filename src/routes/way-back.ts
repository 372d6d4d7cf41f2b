import { type CallbackQuery, callbackParameters, parseCallbackQuery } from './callback-query.ts';

/** Where a browser goes on once it is signed in: to the page that asked, and never to an address (SB-18). */
export type WayBack =
  | { readonly kind: 'callback'; readonly query: CallbackQuery }
  /** `flow` is the handle of a start link. */
  | { readonly kind: 'start'; readonly flow: string };

export type ParsedWayBack =
  | { readonly kind: 'parsed'; readonly wayBack: WayBack }
  /** Nothing waits. */
  | { readonly kind: 'none' }
  /** `detail` is a sentence of ours. */
  | { readonly kind: 'refused'; readonly detail: string };

const FLOW_PARAMETER = 'flow';
const CALLBACK_PARAMETERS = ['session_id', 'error', 'state', 'custom_state', 'customState'];

/** The handle of a start link, as we make them. */
const FLOW = /^[\w-]{1,128}$/;

/**
 * The way back that a form, a link or a cookie of ours carries: parsed as the route itself parses its own parameters,
 * since forms come back from anybody (SB-18).
 */
export function parseWayBack(parameters: URLSearchParams): ParsedWayBack {
  const isCallback = CALLBACK_PARAMETERS.some((name) => parameters.has(name));
  if (!parameters.has(FLOW_PARAMETER)) {
    if (!isCallback) return { kind: 'none' };
    const callback = parseCallbackQuery(parameters);
    if (callback.kind === 'refused') return callback;
    return { kind: 'parsed', wayBack: { kind: 'callback', query: callback.query } };
  }
  if (isCallback) return { kind: 'refused', detail: 'The request names two ways back.' };
  const flow = parseFlow(parameters);
  if (flow === undefined) return { kind: 'refused', detail: 'The start link is malformed.' };
  return { kind: 'parsed', wayBack: { kind: 'start', flow } };
}

/** The one well-formed `flow`, else undefined. */
export function parseFlow(parameters: URLSearchParams): string | undefined {
  const [flow, ...more] = parameters.getAll(FLOW_PARAMETER);
  return flow !== undefined && more.length === 0 && FLOW.test(flow) ? flow : undefined;
}

/** The same again for a form or a sealed cookie; {@link parseWayBack} reads it. */
export function wayBackParameters(wayBack: WayBack): URLSearchParams {
  return wayBack.kind === 'callback'
    ? callbackParameters(wayBack.query)
    : new URLSearchParams({ [FLOW_PARAMETER]: wayBack.flow });
}

/** Its address, relative to the base of the service: `oauth2/…`, without slash in front (SB-18, SB-19). */
export function wayBackPath(wayBack: WayBack): string {
  const page = wayBack.kind === 'callback' ? 'callback' : 'start';
  return `oauth2/${page}?${wayBackParameters(wayBack).toString()}`;
}
