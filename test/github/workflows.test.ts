import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parseDocument } from 'yaml';

interface Step {
  id?: string;
  uses?: string;
  run?: string;
}

interface Job {
  if?: string;
  needs?: string;
  permissions?: Record<string, string>;
  steps: Step[];
}

interface Workflow {
  on: Record<string, unknown>;
  permissions: Record<string, string>;
  jobs: Record<string, Job>;
}

/** What npm itself does; every other word after `npm` needs `run`, or is a script by convention. */
const NPM_COMMANDS = ['ci', 'pack', 'publish', 'sbom'];

const FILES = globSync('.github/**/*.yml').toSorted();
const WORKFLOWS = FILES.filter((file) => file.startsWith('.github/workflows/'));
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
  version: string;
  scripts: Record<string, string>;
};

const workflowOf = (file: string) => parseDocument(readFileSync(file, 'utf8')).toJS() as Workflow;
const jobsOf = (file: string): Job[] => Object.values(workflowOf(file).jobs);
const stepsOf = (file: string): Step[] => jobsOf(file).flatMap(({ steps }) => steps);
const commandsOf = (file: string): string =>
  stepsOf(file)
    .flatMap(({ run }) => run ?? [])
    .join('\n');

it.each(FILES)('%s is YAML', (file) => {
  const { errors, warnings } = parseDocument(readFileSync(file, 'utf8'));
  expect([...errors, ...warnings]).toEqual([]);
});

describe.each(WORKFLOWS)('%s', (file) => {
  it('calls only npm scripts and programs that exist', () => {
    const called = [...commandsOf(file).matchAll(/\bnpm (run )?([\w:-]+)/g)];
    const scripts = called.flatMap(([, run, name = '']) =>
      run || !NPM_COMMANDS.includes(name) ? [name] : [],
    );
    expect(scripts.filter((name) => !(name in manifest.scripts))).toEqual([]);
    const programs = commandsOf(file)
      .split('\n')
      .filter((line) => line.startsWith('.'));
    for (const program of programs) accessSync(program, constants.X_OK);
    expect(called.length + programs.length).toBeGreaterThan(0);
  });

  it('pins every action to a commit, and names its version', () => {
    const written = readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line.includes('uses:'));
    expect(written.length).toBe(stepsOf(file).filter(({ uses }) => uses !== undefined).length);
    for (const line of written) expect(line).toMatch(/uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  it('may only read, but for the job that publishes', () => {
    expect(workflowOf(file).permissions).toEqual({ contents: 'read' });
    for (const { permissions = {}, steps } of jobsOf(file)) {
      const publishes = steps.some(({ run }) => run?.includes('npm publish'));
      expect(Object.keys(permissions).filter((name) => name !== 'contents')).toEqual(
        publishes ? ['id-token'] : [],
      );
    }
  });
});

describe('the workflow CI', () => {
  it('runs .ci/run, and the quick check on the lowest Node that is supported', () => {
    const text = readFileSync('.github/workflows/ci.yml', 'utf8');
    expect(commandsOf('.github/workflows/ci.yml').split('\n')).toEqual(
      expect.arrayContaining(['.ci/run', 'npm ci', 'npm test']),
    );
    const [, lowest = ''] = /With Node (\d+\.\d+) or newer/.exec(readFileSync('README.md', 'utf8')) ?? [];
    expect(text).toContain(`node: [${lowest}.0, ${readFileSync('.nvmrc', 'utf8').trim()}]`);
  });
});

describe('the workflow Release', () => {
  const file = '.github/workflows/release.yml';

  /** Runs the step that decides whether to publish, as GitHub does. */
  function decide(refType: string, refName: string): { status: number | null; outputs: string } {
    const directory = mkdtempSync(join(tmpdir(), 'usher-release-'));
    const output = join(directory, 'output');
    const script = stepsOf(file).find(({ id }) => id === 'manifest')?.run ?? '';
    try {
      const { status } = spawnSync('bash', ['-e', '-c', script], {
        env: { ...process.env, GITHUB_OUTPUT: output, GITHUB_REF_TYPE: refType, GITHUB_REF_NAME: refName },
      });
      return { status, outputs: existsSync(output) ? readFileSync(output, 'utf8') : '' };
    } finally {
      rmSync(directory, { recursive: true });
    }
  }

  it('starts by hand or by a tag only', () => {
    expect(workflowOf(file).on).toEqual({ push: { tags: ['v*'] }, workflow_dispatch: null });
  });

  it('does not publish while package.json is private', () => {
    const publishing = jobsOf(file).filter(({ steps }) =>
      steps.some(({ run }) => run?.includes('npm publish')),
    );
    expect(publishing.map((job) => job.if)).toEqual([
      "github.ref_type == 'tag' && needs.package.outputs.private == 'false'",
    ]);
    const isPrivate = JSON.parse(readFileSync('package.json', 'utf8')).private === true;
    expect(decide('branch', 'main')).toEqual({ status: 0, outputs: `private=${isPrivate}\n` });
  });

  it('ends where the tag is not the version of package.json', () => {
    expect(decide('tag', `v${manifest.version}`).status).toBe(0);
    expect(decide('tag', 'v999.0.0').status).toBe(1);
  });
});

it('.nvmrc names the Node that npm scripts run on', () => {
  const { optionalDependencies } = JSON.parse(readFileSync('local/node/package.json', 'utf8')) as {
    optionalDependencies: Record<string, string>;
  };
  const majors = Object.values(optionalDependencies).map((version) => version.split('.')[0]);
  expect([...new Set(majors)]).toEqual([readFileSync('.nvmrc', 'utf8').trim()]);
});

it('dependency updates cover every lock file and the actions', () => {
  const { updates } = parseDocument(readFileSync('.github/dependabot.yml', 'utf8')).toJS() as {
    updates: { 'package-ecosystem': string; directory?: string; directories?: string[] }[];
  };
  expect(updates.map((update) => update['package-ecosystem'])).toEqual(['npm', 'github-actions']);
  const covered = (updates[0]?.directories ?? []).flatMap((glob) => globSync(`.${glob}/package-lock.json`));
  const locks = globSync(['package-lock.json', '{tools,examples,local}/*/package-lock.json']);
  expect(covered.map((lock) => dirname(lock)).toSorted()).toEqual(
    locks.map((lock) => dirname(lock)).toSorted(),
  );
});
