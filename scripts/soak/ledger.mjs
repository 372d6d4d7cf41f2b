/** What a stranger may be told about somebody else's flow: that it is not his, or nothing about it at all. */
const SAYS_NOTHING = new Set([
  'user_mismatch',
  'not_signed_in',
  'rate_limited',
  'overloaded',
  'in_progress',
  'store_unavailable',
  'issuer_unavailable',
]);

/**
 * Who opened which flow with which user token, what people were told, and what AgentCore says it did: the rule of the
 * contract (section 2), looked at from outside.
 */
export class Ledger {
  #flows = new Map();
  #seen = new WeakSet();
  #boundOnce = new Set();
  #broken = new Set();

  /** Each a sentence that names the promise. */
  get broken() {
    return [...this.#broken];
  }

  opened({ sessionUri, subject, userToken }) {
    this.#flows.set(sessionUri, { subject, userToken, isPinned: false });
  }

  /** From now on only this very token may be sent for it. */
  pinned(sessionUri) {
    this.#flows.get(sessionUri).isPinned = true;
  }

  /** Somebody was told about a flow, by the code of the answer. `agentcore` is the emulator. */
  told(sessionUri, subject, code, agentcore) {
    const flow = this.#flows.get(sessionUri);
    const isOwner = flow.subject === subject;
    if (code === 'completed' && !isOwner)
      this.#break(`${subject} was told that a flow of ${flow.subject} is his`);
    if (code === 'completed' && agentcore.vaultOwnerOf(sessionUri) === undefined) {
      this.#break(`${subject} was told "completed", and AgentCore has bound nothing`);
    }
    if (!isOwner && flow.isPinned && code !== 'completed' && !SAYS_NOTHING.has(code)) {
      this.#break(`${subject} was told "${code}" about a flow of ${flow.subject}`);
    }
  }

  /** Looks at what has come since it last looked. */
  check({ bindings, calls }) {
    for (const binding of this.#fresh(bindings)) {
      const { sessionUri, owner } = binding;
      const opened = this.#flows.get(sessionUri);
      if (opened === undefined) this.#break('a flow was bound that nobody has opened');
      else if (owner.subject !== opened.subject) {
        this.#break(`a flow of ${opened.subject} was bound for ${owner.subject}`);
      }
      if (this.#boundOnce.has(sessionUri)) this.#break(`a flow of ${opened?.subject} was bound twice`);
      this.#boundOnce.add(sessionUri);
    }
    for (const { sessionUri, userToken } of this.#fresh(calls)) {
      const flow = this.#flows.get(sessionUri);
      if (flow?.isPinned && userToken !== flow.userToken) {
        this.#break(`a user token was sent for a flow of ${flow.subject} that its pin does not name`);
      }
    }
  }

  #fresh(list) {
    const fresh = list.filter((item) => !this.#seen.has(item));
    for (const item of fresh) this.#seen.add(item);
    return fresh;
  }

  #break(sentence) {
    this.#broken.add(sentence);
  }
}
