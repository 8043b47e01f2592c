import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium } from 'playwright-core';
import { installTool } from '../../scripts/install-tool.ts';

/** Where installers put a Chrome, for platforms that the packaged Chromium is not made for. */
const INSTALLED = [
  process.env['USHER_CHROME'],
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/usr/bin/google-chrome',
  '/usr/bin/chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];

/** The package's own arguments end the browser with its second context: only the first of these is one of them. */
const ARGUMENTS = [
  '--no-sandbox',
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  '--disable-gpu',
  // Pages of other sites, for tests of what they can do here.
  '--host-resolver-rules=MAP *.example 127.0.0.1',
];

export interface TestBrowser {
  browser: Browser;
  close(): Promise<void>;
}

/** The part of @sparticuz/chromium that is used; tools/browser installs it. */
interface PackagedChromium {
  default: { executablePath(): Promise<string> };
}

/**
 * Starts a Chromium that npm brought, with a fake camera and microphone; an installed Chrome where npm has none for this
 * platform.
 *
 * @returns undefined where there is neither, said loudly
 */
export async function startBrowser(): Promise<TestBrowser | undefined> {
  const folder = mkdtempSync(path.join(tmpdir(), 'usher-browser-'));
  const executablePath = await findChromium(folder);
  if (executablePath === undefined) {
    rmSync(folder, { recursive: true });
    console.error(
      `NOT RUN: no browser for ${process.platform} ${process.arch}. Install Chrome, or name one in USHER_CHROME.`,
    );
    return undefined;
  }
  const browser = await chromium.launch({
    executablePath,
    args: ARGUMENTS,
    env: { ...process.env, HOME: folder },
  });
  return {
    browser,
    async close() {
      await browser.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function findChromium(folder: string): Promise<string | undefined> {
  const isPackaged = process.platform === 'linux' && process.arch === 'x64';
  return isPackaged
    ? unpackChromium(folder)
    : INSTALLED.find((file) => file !== undefined && existsSync(file));
}

/** It unpacks into the temporary folder and takes what it finds there, which may be another version: it gets a folder of its own. */
async function unpackChromium(folder: string): Promise<string> {
  const entry = path.join(installTool('browser'), 'node_modules/@sparticuz/chromium/build/index.js');
  const { TMPDIR } = process.env;
  process.env['TMPDIR'] = folder;
  try {
    const packaged: PackagedChromium = await import(pathToFileURL(entry).href);
    return await packaged.default.executablePath();
  } finally {
    if (TMPDIR === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = TMPDIR;
  }
}
