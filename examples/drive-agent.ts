/** The agent of AWS's Google Drive tutorial: lists its user's files. */
import { answerOnce } from './command-line.ts';

/** GOOGLE_API_URL is for trying: it names the emulator's Google. */
const API = process.env['GOOGLE_API_URL'] ?? 'https://www.googleapis.com';

async function listFiles(accessToken: string): Promise<readonly string[]> {
  const response = await fetch(`${API}/drive/v3/files?pageSize=10&fields=files(name,mimeType)`, {
    headers: { authorization: `Bearer ${accessToken}` },
  });
  if (!response.ok) throw new Error(`Google answered ${response.status}`);
  const { files }: { readonly files: readonly { readonly name: string; readonly mimeType: string }[] } =
    JSON.parse(await response.text());
  return files.map(({ name, mimeType }) => `${name} (${mimeType})`);
}

process.exitCode = await answerOnce(
  {
    provider: 'google',
    scopes: ['https://www.googleapis.com/auth/drive.metadata.readonly'],
    label: 'Google Drive for the example agent',
    answer: async (accessToken) => ['Your files:', ...(await listFiles(accessToken))],
  },
  process.env,
);
