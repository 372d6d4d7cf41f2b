import type { AgentCoreStandIn } from '../../src/emulator/agentcore.ts';

export class Ledger {
  readonly broken: readonly string[];
  opened(flow: { readonly sessionUri: string; readonly subject: string; readonly userToken: string }): void;
  pinned(sessionUri: string): void;
  told(
    sessionUri: string,
    subject: string,
    code: string,
    agentcore: Pick<AgentCoreStandIn, 'vaultOwnerOf'>,
  ): void;
  check(agentcore: Pick<AgentCoreStandIn, 'bindings' | 'calls'>): void;
}
