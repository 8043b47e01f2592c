import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { claimStateDirectory, readLocalEnvironment, stateDirectory } from '../../local/environment.ts';

const ENVIRONMENT = {
  apiUrl: 'http://127.0.0.1:1/v1',
  chimeUrl: 'http://127.0.0.1:2',
  dynamodbUrl: 'http://127.0.0.1:3',
  s3Url: 'http://127.0.0.1:6',
  tableName: 'audit',
  admissionTableName: 'admissions',
  openIntentTableName: 'open',
  reconciler: {
    name: 'reconciler',
    arn: 'arn:aws:lambda:us-east-1:123456789012:function:reconciler',
    handler: 'index.handler',
    directory: '/asset',
    environment: {},
    timeoutMs: 1000,
    memoryMb: 128,
    runtime: 'nodejs24.x',
    logging: { group: '/aws/lambda/reconciler' },
  },
  issuer: 'http://127.0.0.1:4',
  audience: 'usher',
  pageUrl: 'http://127.0.0.1:5',
  region: 'us-east-1',
  pid: 1,
};

let parent: string;
let directory: string;

beforeEach(() => {
  parent = mkdtempSync(path.join(tmpdir(), 'usher-state-'));
  directory = path.join(parent, 'state');
});

afterEach(() => rmSync(parent, { recursive: true }));

describe('a claimed directory', () => {
  it('makes the system known to its owner, until it is released', () => {
    const state = claimStateDirectory(directory);
    expect(() => readLocalEnvironment(directory)).toThrow(/No local system runs in .*npm start/);
    state.publish(ENVIRONMENT);
    expect(readLocalEnvironment(directory)).toEqual(ENVIRONMENT);
    expect(statSync(path.join(directory, 'environment.json')).mode & 0o777).toBe(0o600);
    state.release();
    expect(readdirSync(parent)).toEqual([]);
  });

  it('keeps its other content', () => {
    const state = claimStateDirectory(directory);
    writeFileSync(path.join(directory, 'mine'), '');
    state.release();
    expect(readdirSync(directory)).toEqual(['mine']);
  });

  it('is kept if it existed before', () => {
    claimStateDirectory(parent).release();
    expect(existsSync(parent)).toBe(true);
  });

  it('is rejected to a second system', () => {
    const state = claimStateDirectory(directory);
    expect(() => claimStateDirectory(directory)).toThrow(`A local system runs in ${directory} already: `);
    state.release();
    claimStateDirectory(directory).release();
  });

  it('is taken over from a system that was killed', () => {
    const state = claimStateDirectory(directory);
    state.publish(ENVIRONMENT);
    mkdirSync(state.assemblyDirectory);
    // No process can have this id: Linux has at most 2^22 of them.
    writeFileSync(path.join(directory, 'pid'), '99999999');
    claimStateDirectory(directory).release();
    expect(readdirSync(directory)).toEqual([]);
  });
});

it('is USHER_LOCAL_DIR, or .local here', () => {
  expect(stateDirectory({ USHER_LOCAL_DIR: '/somewhere' })).toBe('/somewhere');
  expect(stateDirectory({})).toBe(path.resolve('.local'));
});
