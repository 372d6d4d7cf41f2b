/** Somebody's account at the GitHub-like and at the Google-like provider, with data to tell it by. */
export interface ResourceAccount {
  readonly login: string;
  readonly name: string;
  readonly email: string;
  readonly repositories: readonly Repository[];
  readonly files: readonly DriveFile[];
}

export interface Repository {
  readonly name: string;
  readonly isPrivate: boolean;
  readonly description: string;
}

export interface DriveFile {
  readonly name: string;
  readonly mimeType: string;
}

/** Two people whose data nobody can mistake for each other's. */
export const DEFAULT_ACCOUNTS: readonly ResourceAccount[] = [
  {
    login: 'alice',
    name: 'Alice Liddell',
    email: 'alice@example.com',
    repositories: [
      { name: 'rabbit-hole', isPrivate: true, description: 'How deep it goes' },
      { name: 'tea-party', isPrivate: true, description: 'Guests, times, seats' },
      { name: 'looking-glass', isPrivate: false, description: 'Everything the other way round' },
    ],
    files: [
      { name: 'Croquet scores', mimeType: 'application/vnd.google-apps.spreadsheet' },
      { name: 'Letter to the Queen', mimeType: 'application/vnd.google-apps.document' },
    ],
  },
  {
    login: 'bob',
    name: 'Bob Cratchit',
    email: 'bob@example.com',
    repositories: [
      { name: 'ledger', isPrivate: true, description: 'Accounts of the house' },
      { name: 'goose-recipes', isPrivate: false, description: 'For one day a year' },
    ],
    files: [{ name: 'Wish for a day off', mimeType: 'application/vnd.google-apps.document' }],
  },
];
