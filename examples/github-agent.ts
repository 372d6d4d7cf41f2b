/** The agent of AWS's GitHub tutorial: lists its user's private repositories. */
import { answerOnce } from './command-line.ts';
import { listPrivateRepositories } from './github.ts';

process.exitCode = await answerOnce(
  {
    provider: 'github',
    scopes: ['repo', 'read:user'],
    label: 'GitHub for the example agent',
    answer: async (accessToken) => [
      'Your private repositories:',
      ...(await listPrivateRepositories(accessToken)),
    ],
  },
  process.env,
);
