import { rename, writeFile } from 'node:fs/promises';

/** Writes a page whole or not at all, for its owner only. */
export async function writePage(file: string, page: string): Promise<void> {
  const draft = `${file}.${process.pid}.tmp`;
  await writeFile(draft, page, { mode: 0o600, flag: 'wx' });
  await rename(draft, file);
}
