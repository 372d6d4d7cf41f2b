import { html } from './html.ts';
import { OUTCOMES } from './outcomes.ts';
import type { Words } from './words.ts';

export const ENGLISH: Words = {
  language: 'en',
  outcomes: OUTCOMES,
  alreadyConnected: 'You are already connected',
  connection: (label) => html`Connection: ${label}`,
  signedInAs: (name) => html`Signed in as ${name}`,
  notYou: 'Not you?',
  backToApp: 'Back to the app',
  reference: 'Reference',
  copy: 'Copy',
  copied: 'Copied',
  waysOn: {
    tryAgain: 'Try again',
    lookAgain: 'Look again',
    signIn: 'Sign in',
    signInAgain: 'Sign in again',
    goOn: 'Go on',
  },
  notices: {
    csrf: 'That click came from an old page or from another browser, and did nothing.',
    code: 'That sign-in link was already used, or has expired.',
    candidate: 'That user is not known here, or no longer.',
    still_signed_in: 'That click came from an old page or from another browser: you are still signed in.',
  },
  signIn: {
    nobodyKnown: {
      title: 'Nobody to continue as yet',
      text: 'No app has handed over its user here, so we cannot tell whose browser this is.',
      next: 'Run your app so that it signs you in, then look again.',
    },
    one: {
      title: 'Is this you?',
      text: 'One click signs this browser in. Connections approved in it are then finished for you.',
      next: 'Did somebody send you here? Then close this tab.',
    },
    several: {
      title: 'Which one are you?',
      text: 'One click signs this browser in. Connections approved in it are then finished for you.',
      next: 'Did somebody send you here? Then close this tab.',
    },
    oneOfFlow: {
      title: 'One more click',
      text: 'Say that it is you, and we finish the connection.',
      next: 'Did you not start this connection yourself? Then close this tab.',
    },
    severalOfFlow: {
      title: 'One more click',
      text: 'Say which one you are, and we finish the connection.',
      next: 'Did you not start this connection yourself? Then close this tab.',
    },
    continueAs: (name) => html`Continue as ${name}`,
    nameless: 'somebody without a name',
  },
  signedIn: {
    title: 'You are signed in',
    text: (name) => html`Connections that are approved in this browser are finished for ${name}.`,
  },
  goingOn: {
    title: 'One moment',
    text: 'You are signed in. Next comes the service that you are connecting.',
  },
  signOut: {
    unfold: 'Sign out',
    forget: 'Also forget the sign-ins my apps have stored here',
    button: 'Sign out of all my browsers',
  },
  signedOut: {
    title: 'You are signed out',
    texts: {
      nobody: 'Nobody is signed in to this browser.',
      signed_out: 'You are signed out here in every browser you used.',
      tokens_forgotten:
        'You are signed out here in every browser you used, and the sign-ins that your apps had stored are forgotten.',
    },
    next: 'You can close this tab.',
    nextAtIssuer: 'Next, your sign-in service signs you out.',
  },
};
