import type { DefaultDeviceController, DefaultMeetingSession } from 'amazon-chime-sdk-js';
import { createUsherClient, type UsherClient } from '../browser-client/client.ts';
import { createDeviceController, type DeviceElements, releaseDevices, showDevices } from './devices.ts';
import { createLocalMeeting, joinLocally, listLocalMeetings } from './local.ts';
import { type Admission, createLogger, createSession, enter, join } from './meeting.ts';
import { createNotice, type Notice } from './notice.ts';
import { explain } from './problems.ts';
import { loadSettings, type Settings } from './settings.ts';
import { createSignIn, type SignIn } from './sign-in.ts';

type Step = 'sign-in' | 'meeting' | 'ready';
const MAX_SILENT_RETRY_MS = 6_000;

const STEPS: readonly Step[] = ['sign-in', 'meeting', 'ready'];

/** What every part of the page works with. */
interface Page {
  settings: Settings;
  signIn: SignIn;
  usher: UsherClient;
  notice: Notice;
  /** The ExternalUserId to join under. */
  name: string;
  /** Whether the page just signed in automatically, so that it does not loop. */
  hasSignedInAgain: boolean;
}

const byId = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;

function show(step: Step): void {
  for (const one of STEPS) byId(one).hidden = one !== step;
  for (const item of document.querySelectorAll<HTMLElement>('#steps li')) {
    const position = STEPS.indexOf(item.dataset['step'] as Step) - STEPS.indexOf(step);
    item.classList.toggle('done', position < 0);
    if (position === 0) item.setAttribute('aria-current', 'step');
    else item.removeAttribute('aria-current');
  }
}

async function start(): Promise<void> {
  const notice = createNotice({
    box: byId('notice'),
    title: byId('notice-title'),
    text: byId('notice-text'),
    detail: byId('notice-detail'),
    action: byId('notice-action'),
  });
  const invited = new URLSearchParams(location.search).get('meeting') ?? undefined;
  const settings = await loadSettings();
  const signIn = createSignIn(settings);
  byId('sign-in-button').onclick = () => {
    signIn.signIn({ meetingId: invited }).catch((error) => report(error));
  };
  const report = async (error: unknown) =>
    notice.problem(await explain(error, settings.issuer), () => location.reload());

  try {
    const { user, meetingId = invited, silently = false } = await signIn.begin();
    if (user === null) return show('sign-in');
    const usher = createUsherClient({
      url: settings.apiUrl,
      getToken: signIn.accessToken,
      // A longer wait needs a notice.
      timeLimitMs: MAX_SILENT_RETRY_MS,
    });
    const page = { settings, signIn, usher, notice, name: user.profile.sub, hasSignedInAgain: silently };
    byId('who').textContent = `Signed in as ${page.name}`;
    byId('sign-out').hidden = false;
    byId('sign-out').onclick = () => signIn.signOut().catch(report);
    await chooseMeeting(page, meetingId);
  } catch (error) {
    show('sign-in');
    await report(error);
  }
}

async function chooseMeeting(page: Page, meetingId: string | undefined): Promise<void> {
  const input = byId<HTMLInputElement>('meeting-id');
  byId<HTMLFormElement>('enter').onsubmit = (event) => {
    event.preventDefault();
    void tryToEnter(page, meetingIdOf(input.value));
  };
  show('meeting');
  if (page.settings.local) await showLocalMeetings(input);
  if (meetingId !== undefined) {
    input.value = meetingId;
    await tryToEnter(page, meetingId);
  }
}

/** People paste whole links. */
function meetingIdOf(text: string): string {
  return new URLSearchParams(text.split('?')[1]).get('meeting') ?? text.trim();
}

async function showLocalMeetings(input: HTMLInputElement): Promise<void> {
  byId('local-links').hidden = false;
  byId('local-create').hidden = false;
  byId('local-list').hidden = false;
  const select = byId<HTMLSelectElement>('known');
  const fill = async () => {
    const meetings = await listLocalMeetings();
    const options = meetings.map(
      ({ meetingId, name, tenants }) =>
        new Option(`${name} (${tenants.join(', ') || 'no tenant'})`, meetingId),
    );
    select.replaceChildren(...options);
    input.value = select.value;
  };
  select.onchange = () => {
    input.value = select.value;
  };
  byId<HTMLFormElement>('create').onsubmit = async (event) => {
    event.preventDefault();
    const name = byId<HTMLInputElement>('name');
    try {
      await createLocalMeeting(name.value, byId<HTMLInputElement>('tenant').value);
      await fill();
      byId<HTMLDetailsElement>('local-create').open = false;
      byId('enter-button').focus();
    } catch (error) {
      name.setCustomValidity((error as Error).message);
      name.reportValidity();
      name.oninput = () => name.setCustomValidity('');
    }
  };
  await fill();
}

async function tryToEnter(page: Page, meetingId: string): Promise<void> {
  const { notice, usher, name, settings } = page;
  const button = byId<HTMLButtonElement>('enter-button');
  const giveUp = new AbortController();
  const leave = () => giveUp.abort();
  window.addEventListener('pagehide', leave, { once: true });
  button.disabled = true;
  notice.working('Asking to be let in …');
  try {
    const admission = await enter(usher, meetingId, name, giveUp.signal);
    notice.clear();
    await getReady(page, meetingId, admission);
  } catch (error) {
    if (!giveUp.signal.aborted) await recover(page, meetingId, error);
  } finally {
    window.removeEventListener('pagehide', leave);
    button.disabled = false;
  }

  async function recover(failed: Page, id: string, error: unknown): Promise<void> {
    const problem = await explain(error, settings.apiUrl);
    if (problem.remedy === 'sign-in') {
      if (failed.hasSignedInAgain) {
        problem.remedy = 'retry';
        problem.title = 'Your sign-in is not accepted';
        problem.text =
          'You are signed in, but the meeting service refuses the token. Ask an administrator to compare its settings with the issuer.';
      } else {
        await failed.signIn.signIn({ meetingId: id, silently: true });
      }
    }
    notice.problem(problem, () => {
      if (problem.remedy !== 'choose') return void tryToEnter({ ...failed, hasSignedInAgain: false }, id);
      notice.clear();
      byId('meeting-id').focus();
    });
  }
}

async function getReady(
  { notice, settings, name }: Page,
  meetingId: string,
  admission: Admission,
): Promise<void> {
  const elements: DeviceElements = {
    microphone: byId('microphone'),
    camera: byId('camera'),
    speaker: byId('speaker'),
    preview: byId('camera-preview'),
    cameraOff: byId('camera-off'),
  };
  const logger = createLogger();
  const devices = createDeviceController(logger);
  const session = createSession(admission, devices, logger);
  byId('ready-text').textContent = `You join meeting ${meetingId} as ${name}.`;
  showReport(settings, meetingId);
  show('ready');
  byId('ready-title').focus();
  const missing = await showDevices(devices, elements);
  if (missing !== undefined) {
    notice.problem({ title: 'A device is missing', text: missing, remedy: 'retry' }, () => location.reload());
  }
  offerToJoin(session, devices, {
    settings,
    notice,
    elements,
    joinOnThisMachine: () => joinLocally(meetingId, admission.attendee.AttendeeId),
  });
}

function offerToJoin(
  session: DefaultMeetingSession,
  devices: DefaultDeviceController,
  {
    settings,
    notice,
    elements,
    joinOnThisMachine,
  }: {
    settings: Settings;
    notice: Notice;
    elements: DeviceElements;
    joinOnThisMachine: () => Promise<void>;
  },
): void {
  const button = byId<HTMLButtonElement>('join');
  const label = settings.local ? 'Join (without media)' : 'Join';
  button.disabled = false;
  button.textContent = label;
  if (settings.local) {
    button.title = 'Chime is emulated on this machine: it only says that you joined, and the audit shows it.';
  }
  button.onclick = async () => {
    button.disabled = true;
    try {
      if (settings.local) await joinOnThisMachine();
      else
        await join(session, {
          speaker: elements.speaker.value,
          withCamera: elements.camera.value !== '',
        });
      button.textContent = 'Joined';
    } catch (error) {
      button.disabled = false;
      throw error;
    }
  };
  byId('leave').onclick = async () => {
    session.audioVideo.stop();
    await releaseDevices(devices, elements);
    notice.clear();
    button.textContent = label;
    show('meeting');
    byId('report-link').hidden = true;
  };
}

function showReport({ reports }: Settings, meetingId: string): void {
  const link = byId<HTMLAnchorElement>('report-link');
  link.hidden = reports !== true;
  link.href = `report/${meetingId}`;
}

await start();
