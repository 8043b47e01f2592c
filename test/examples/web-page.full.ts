import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import axe from 'axe-core';
import type { BrowserContext, Page } from 'playwright-core';
import { close, listen } from '../../local/http-server.ts';
import { startBrowser, type TestBrowser } from '../support/browser.ts';
import { type RunningSystem, startSystem, until } from '../support/local.ts';

const LOCAL_CONFIG = JSON.parse(readFileSync('config/local.json', 'utf8'));

let system: RunningSystem;
let chromium: TestBrowser | undefined;
let contexts: BrowserContext[] = [];

beforeAll(async () => {
  [system, chromium] = await Promise.all([startSystem(), startBrowser()]);
}, 180_000);
afterEach(async () => {
  await Promise.all(contexts.map((context) => context.close()));
  contexts = [];
  await fetch(`${system.environment.chimeUrl}/_emulator/faults`, { method: 'DELETE' });
});
afterAll(async () => {
  await chromium?.close();
  await system.stop();
}, 60_000);

/** A test in a browser of its own; not run, and said loudly, where the platform has none. */
function inBrowser(name: string, test: (page: Page) => Promise<void>): void {
  it(name, async () => {
    if (chromium === undefined) return void console.error(`NOT RUN: ${name}`);
    await test(await newPage());
  }, 90_000);
}

async function newPage(options: Parameters<TestBrowser['browser']['newContext']>[0] = {}): Promise<Page> {
  const context = await (chromium as TestBrowser).browser.newContext(options);
  contexts.push(context);
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  return page;
}

async function signIn(page: Page, role: string, address = system.environment.pageUrl): Promise<void> {
  await page.goto(address);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.locator(`input[value=${role}]`).check();
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('Signed in as').waitFor();
}

async function enter(page: Page): Promise<void> {
  await page.locator('#known option').first().waitFor({ state: 'attached' });
  await page.getByRole('button', { name: 'Continue', exact: true }).click();
}

const notice = (page: Page) => page.getByRole('status');
const isReady = (page: Page) => page.getByRole('heading', { name: 'Ready to join' }).waitFor();

async function fault(members: object): Promise<void> {
  const response = await fetch(`${system.environment.chimeUrl}/_emulator/faults`, {
    method: 'POST',
    body: JSON.stringify(members),
  });
  expect(response.status).toBe(201);
}

/** Replaces the page's own token by another one, so often, on its way to the API. */
async function sendToken(page: Page, token: string, times: number): Promise<void> {
  let left = times;
  await page.route(`${system.environment.apiUrl}/**`, (route, request) => {
    if (request.method() === 'OPTIONS' || left === 0) return route.continue();
    left -= 1;
    return route.continue({ headers: { ...request.headers(), authorization: `Bearer ${token}` } });
  });
}

/** What axe-core finds that breaks WCAG 2 A or AA. */
async function accessibilityProblems(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() =>
    (globalThis as unknown as { axe: typeof axe }).axe.run({
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'],
    }),
  );
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

describe('the page, in a real browser', () => {
  for (const [role, name] of [
    ['host', 'alice'],
    ['guest', 'gail'],
  ] as const) {
    inBrowser(`brings a ${role} from sign-in to ready, with the devices of the browser`, async (page) => {
      await signIn(page, role);
      await enter(page);
      await isReady(page);
      await page.getByText(`as ${name}.`).waitFor();
      await page.locator('#camera option', { hasText: 'fake_device' }).first().waitFor({ state: 'attached' });
      await page.waitForFunction("document.getElementById('camera-preview').videoWidth > 0");
    });
  }

  inBrowser('creates a meeting on this machine and joins it with the keyboard alone', async (page) => {
    await signIn(page, 'host');
    await page.locator('#known option').first().waitFor({ state: 'attached' });
    await page.locator('#local-create summary').focus();
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    await page.keyboard.type('keyboard');
    await page.keyboard.press('Enter');
    await page.locator('#known option', { hasText: 'keyboard' }).waitFor({ state: 'attached' });
    await page.locator('#enter-button:focus').waitFor();
    await page.keyboard.press('Enter');
    await isReady(page);
  });

  inBrowser('joins without media, which the audit then shows', async (page) => {
    await signIn(page, 'guest');
    await enter(page);
    await isReady(page);
    await page.getByRole('button', { name: 'Join (without media)' }).click();
    await page.getByRole('button', { name: 'Joined' }).waitFor();
    const { href } = await page
      .getByRole('link', { name: 'What the audit knows of this meeting' })
      .evaluate((link) => ({ href: (link as unknown as { href: string }).href }));
    const today = new Date().toISOString().slice(0, 10);
    await until(async () => {
      const report = await (await fetch(href)).text();
      return new RegExp(`data-label="Joined"><div>${today}T`).test(report);
    });
  });

  inBrowser('links to what the audit knows of the meeting', async (page) => {
    await signIn(page, 'guest');
    await enter(page);
    await isReady(page);
    await page.getByRole('link', { name: 'What the audit knows of this meeting' }).click();
    await page.waitForURL('**/report/*');
    const report = await page.content();
    expect(report).toContain(page.url().split('/').at(-1));
    expect(report).toContain('gail');
  });

  inBrowser('opens the meeting of a link right after the sign-in', async (page) => {
    const { pageUrl, meetingId } = system.environment;
    await signIn(page, 'guest', `${pageUrl}/?meeting=${meetingId}`);
    await isReady(page);
  });
});

describe('an error, in plain words', () => {
  inBrowser('says that a meeting of another organization is not open', async (page) => {
    await signIn(page, 'stranger');
    await enter(page);
    await notice(page).getByText('This meeting is not open to you').waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
  });

  inBrowser('names what an account without rights can do', async (page) => {
    await signIn(page, 'visitor');
    await enter(page);
    await notice(page).getByText('Your account has no right to join meetings.').waitFor();
  });

  inBrowser('says that a meeting has ended', async (page) => {
    await signIn(page, 'host');
    await page.getByLabel('Meeting ID').fill('00000000-0000-4000-8000-000000000000');
    await page.getByRole('button', { name: 'Continue', exact: true }).click();
    await notice(page).getByText('It has ended, or it belongs to another organization.').waitFor();
  });

  inBrowser('rejects a text that is not a meeting ID', async (page) => {
    await signIn(page, 'host');
    await page.getByLabel('Meeting ID').fill('my meeting');
    await page.getByRole('button', { name: 'Continue', exact: true }).click();
    await notice(page).getByText('This is not a meeting ID').waitFor();
  });

  inBrowser('waits for Retry-After when throttled, and then continues without a click', async (page) => {
    await signIn(page, 'host');
    await fault({
      operation: 'BatchCreateAttendee',
      status: 429,
      errorType: 'ThrottlingException',
      retryAfterSeconds: 8,
      times: 1,
    });
    await enter(page);
    await notice(page).getByText('Many people are joining right now').waitFor();
    await notice(page)
      .getByRole('button', { name: /in \d s/ })
      .waitFor();
    await isReady(page);
  });

  inBrowser('goes on when Chime is back, without a click', async (page) => {
    await signIn(page, 'host');
    await fault({ operation: 'BatchCreateAttendee', status: 503, errorType: 'ServiceUnavailableException' });
    await enter(page);
    await notice(page).getByText('The meeting service has a problem').waitFor();
    await fetch(`${system.environment.chimeUrl}/_emulator/faults`, { method: 'DELETE' });
    await isReady(page);
  });

  inBrowser('goes on when the browser is online again', async (page) => {
    await signIn(page, 'host');
    await page.locator('#known option').first().waitFor({ state: 'attached' });
    await page.context().setOffline(true);
    await enter(page);
    await notice(page).getByText('You are offline').waitFor();
    await page.context().setOffline(false);
    await isReady(page);
  });

  it('names the setting where its origin may not call the API', async () => {
    if (chromium === undefined) return void console.error('NOT RUN: a foreign origin');
    const config = { ...LOCAL_CONFIG, allowedOrigins: ['https://app.example.com'] };
    const other = await startSystem({ config });
    try {
      const page = await newPage();
      const { pageUrl } = other.environment;
      await signIn(page, 'host', pageUrl);
      await enter(page);
      await notice(page).getByText(`add ${pageUrl} to the setting allowedOrigins`).waitFor();
    } finally {
      await other.stop();
    }
  }, 120_000);
});

describe('a session', () => {
  inBrowser('is refreshed once when the API refuses its token', async (page) => {
    await signIn(page, 'guest');
    await sendToken(page, await system.token('--sub', 'gail', '--expires-in', '-60'), 1);
    const refreshed = page.waitForRequest(
      (request) => request.url().endsWith('/token') && (request.postData() ?? '').includes('refresh_token'),
    );
    await enter(page);
    await refreshed;
    await isReady(page);
  });

  inBrowser('that cannot be refreshed signs in again by itself, and goes on to the meeting', async (page) => {
    await signIn(page, 'guest');
    await sendToken(page, await system.token('--sub', 'gail', '--expires-in', '-60'), 1);
    // As after a restart of the issuer, which then does not know the refresh token.
    await page.evaluate(`{
      const [key] = Object.keys(sessionStorage).filter((name) => name.startsWith('oidc.user:'));
      const user = JSON.parse(sessionStorage.getItem(key));
      sessionStorage.setItem(key, JSON.stringify({ ...user, refresh_token: 'forgotten' }));
    }`);
    await enter(page);
    await isReady(page);
  });

  inBrowser('ends with a sign-out, after which someone else can sign in', async (page) => {
    await signIn(page, 'host');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('Not signed in').waitFor();
    await signIn(page, 'guest');
    await page.getByText('Signed in as gail').waitFor();
  });
});

describe('the look of the page', () => {
  for (const [name, options] of [
    ['light', {}],
    ['dark', { colorScheme: 'dark' }],
    ['small', { viewport: { width: 320, height: 640 } }],
  ] as const) {
    inBrowser(`passes WCAG 2.2 AA at each step, and scrolls only downwards: ${name}`, async () => {
      const page = await newPage(options);
      const check = async () => {
        expect(await accessibilityProblems(page)).toEqual([]);
        const root = 'document.documentElement';
        expect(await page.evaluate(`${root}.scrollWidth - ${root}.clientWidth`)).toBe(0);
      };
      await page.goto(system.environment.pageUrl);
      await page.locator('#sign-in').waitFor();
      await check();
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('heading', { name: 'Who do you want to be?' }).waitFor();
      await check();
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.locator('#meeting').waitFor();
      await check();
      await enter(page);
      await isReady(page);
      await check();
    });
  }

  inBrowser('does not move the form when a notice comes', async (page) => {
    await signIn(page, 'visitor');
    const place = () => page.evaluate("document.getElementById('enter-button').offsetTop");
    const before = await place();
    await enter(page);
    await notice(page).getByText('Your account has no right').waitFor();
    expect(await place()).toBe(before);
  });
});

describe('a page of another site', () => {
  let site: Server;
  let address: string;
  beforeAll(async () => {
    site = createServer((_, response) => {
      response.setHeader('Content-Type', 'text/html').end('<h1>Site</h1>');
    });
    address = `http://pages.example:${await listen(site, 0)}/`;
  });
  afterAll(() => close(site));

  /** @returns what each request, sent by the page, was answered with, and whether the page could read it */
  async function tries(page: Page, asked: [url: string, init: object][]): Promise<string[]> {
    const statuses = new Map<string, number>();
    page.on('response', (response) => statuses.set(response.url(), response.status()));
    const results: string[] = [];
    for (const [url, init] of asked) {
      const read = await page.evaluate(
        `fetch(${JSON.stringify(url)}, ${JSON.stringify(init)}).then((answer) => answer.type, () => 'unreadable')`,
      );
      results.push(`${statuses.get(url)} ${read}`);
      statuses.clear();
    }
    return results;
  }

  inBrowser('can neither list tables, nor have tokens signed, nor change anything', async (page) => {
    const { dynamodbUrl, chimeUrl, issuer, pageUrl, signUrl } = system.environment;
    const plain = { method: 'POST', body: '{"name":"evil","tenants":[]}', mode: 'no-cors' };
    const listTables = {
      method: 'POST',
      body: '{}',
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': 'DynamoDB_20120810.ListTables',
      },
    };
    await page.goto(address);
    const before = await (await fetch(`${pageUrl}/local/meetings`)).text();
    const [tables, ...others] = await tries(page, [
      [`${dynamodbUrl}/`, listTables],
      [`${dynamodbUrl}/`, plain],
      [`${chimeUrl}/_emulator/faults`, plain],
      [`${chimeUrl}/_emulator/attendees`, { mode: 'no-cors' }],
      [`${pageUrl}/local/meetings`, plain],
      [signUrl as string, plain],
      [`${issuer}/token`, plain],
    ]);
    expect(tables).toContain('unreadable');
    expect(others).toEqual(Array(6).fill('403 opaque'));
    expect(await (await fetch(`${pageUrl}/local/meetings`)).text()).toBe(before);
    expect(await (await fetch(`${chimeUrl}/_emulator/faults`)).json()).toEqual({ faults: [] });
  });

  inBrowser('reads nothing by a name of its own that points to this machine', async (page) => {
    const { dynamodbUrl, chimeUrl, issuer, pageUrl, apiUrl } = system.environment;
    for (const url of [dynamodbUrl, chimeUrl, issuer, pageUrl, apiUrl]) {
      const response = await page.goto(url.replace('127.0.0.1', 'rebound.example'));
      expect(response?.status()).toBe(403);
      expect(await response?.text()).toContain('is not this machine');
    }
  });
});
