import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { readSettings } from '../../../lambda/create-attendees/environment.ts';

const ISSUERS = JSON.stringify([{ issuer: 'https://login.example.com', audience: ['usher'] }]);
const environment = {
  AUDIT_TABLE_NAME: 'audit',
  ADMISSION_TABLE_NAME: 'admissions',
  ALLOWED_ORIGINS: '[]',
  AUDIT_RETENTION_DAYS: '',
  MEETINGS_REGION: 'eu-central-1',
  AWS_LAMBDA_FUNCTION_VERSION: '7',
};

it('names the rules in force by the first 16 digits of the SHA-256 of ISSUERS, and the version', () => {
  const [digest = ''] = execFileSync('sha256sum', { input: ISSUERS, encoding: 'utf8' }).split(' ');
  expect(readSettings({ ...environment, ISSUERS }).inForce).toEqual({
    rulesDigest: digest.slice(0, 16),
    functionVersion: '7',
  });
});

it('names rules in a file beside the code in the same way', () => {
  const directory = mkdtempSync(join(tmpdir(), 'usher-issuers-'));
  writeFileSync(join(directory, 'issuers.json'), ISSUERS);
  const ofFile = readSettings({ ...environment, LAMBDA_TASK_ROOT: directory }).inForce;
  rmSync(directory, { recursive: true });
  expect(ofFile).toEqual(readSettings({ ...environment, ISSUERS }).inForce);
});
