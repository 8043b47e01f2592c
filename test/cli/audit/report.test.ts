import { hash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { type Batch, batchOf } from '../../../cli/audit/batches.ts';
import { type ReportFacts, reportPage } from '../../../cli/audit/report/page.ts';
import { collect, MAX_REPORT_ATTENDEES } from '../../../cli/audit/report/report.ts';
import { RESULTS, STATES } from '../../../cli/audit/words.ts';
import { batchIdAt, CALLER, denialOf, intentOf, issuedTo, outcomeOf } from '../../support/audit-command.ts';

const HOSTILE = `</style><script>alert(1)</script><img src=x onerror="alert(1)">'&\u202e\u001b[2J`;
const FACTS: ReportFacts = {
  title: 'Meeting M',
  time: 'Requests of a time.',
  madeAtMs: Date.parse('2026-11-23T14:00:00Z'),
  command: 'usher audit --meeting M',
  source: 'tables in eu-central-1',
  digest: 'sha256:0',
  hasEvents: true,
  digestCommand: 'usher audit --meeting M --output ndjson | sha256sum',
  damages: [{ item: 'recordId x', problem: 'its kind is unknown' }],
  notes: [],
};

const batch = (...records: Parameters<typeof batchOf>[0]): Batch => batchOf(records) as Batch;

function hostileBatches(): Batch[] {
  const batchId = batchIdAt('2026-11-23T10:00:00Z');
  const caller = { ...CALLER, clientId: HOSTILE, subject: HOSTILE, userAgent: HOSTILE, scope: HOSTILE };
  return [
    batch(
      intentOf(batchId, {
        caller,
        externalMeetingId: HOSTILE,
        requested: [{ externalUserId: HOSTILE }, { externalUserId: HOSTILE }],
      }),
      outcomeOf(batchId, {
        issued: [issuedTo(HOSTILE, HOSTILE)],
        errors: [{ externalUserId: HOSTILE, errorCode: HOSTILE, errorMessage: HOSTILE }],
      }),
    ),
    batch(denialOf(batchIdAt('2026-11-23T10:00:01Z'), { names: [HOSTILE], rule: HOSTILE as never })),
  ];
}

describe('the report', () => {
  it('is one page that hostile data cannot change: no script, no external resource, no control character', () => {
    const page = reportPage({ ...FACTS, title: HOSTILE, command: HOSTILE }, hostileBatches());
    expect(page).not.toMatch(/<script|<img|<link|<iframe|https?:\/\/(?!login\.example\.com)|url\(|@import/);
    expect(page).not.toMatch(/[^\n\P{C}]/u);
    expect(page.match(/<\/style>/g)).toHaveLength(1);
    expect(page).toContain('&#60;script&#62;alert(1)');
    const [, style = ''] = /<style>(.*?)<\/style>/s.exec(page) ?? [];
    expect(page).toContain(`default-src 'none'; style-src 'sha256-${hash('sha256', style, 'base64')}'`);
  });

  it('says who was admitted by whom, when, from where, with which rights, and what is unknown or denied', () => {
    const issued = batchIdAt('2026-11-23T10:00:00Z');
    const open = batchIdAt('2026-11-23T11:00:00Z');
    const page = reportPage(FACTS, [
      batch(intentOf(issued, { rulesDigest: '0123456789abcdef' }), outcomeOf(issued)),
      batch(intentOf(open, { requested: [{ externalUserId: 'olga' }] })),
      batch(denialOf(batchIdAt('2026-11-23T12:00:00Z'))),
    ]);
    const section = (id: string) => page.split(`id="${id}"`)[1]?.split('</section>')[0] ?? '';
    for (const fact of ['alice', '2026-11-23 10:00:00 UTC', 'SendReceive', 'backend', 'svc-1', '192.0.2.1']) {
      expect(section('let-in')).toContain(fact);
    }
    expect(section('unknown')).toContain('olga');
    expect(section('unknown')).not.toContain('alice');
    expect(section('denied')).toMatch(/bob.*1 more, not on record.*self-own-name/s);
    expect(section('limits')).toContain('its kind is unknown');
    for (const sentence of [...Object.values(RESULTS), ...Object.values(STATES)]) {
      expect(page).toContain(sentence);
    }
  });

  it('about one user counts the others of its requests and does not name them', () => {
    const batchId = batchIdAt('2026-11-23T10:00:00Z');
    const others = ['bob', 'carol'].map((name) => issuedTo(name, `attendee-${name}`));
    const records = outcomeOf(batchId, { issued: [issuedTo('alice', 'attendee-alice'), ...others] });
    const page = reportPage({ ...FACTS, about: { externalUserId: 'alice' } }, [
      batch(intentOf(batchId), records),
    ]);
    expect(page).toContain('alice');
    expect(page).toContain('2 other attendees of the same requests are left out.');
    expect(page).not.toMatch(/bob|carol/);
  });

  it('refuses more than people read, and says what to do instead', async () => {
    const batchId = batchIdAt('2026-11-23T10:00:00Z');
    const requested = Array.from({ length: 100 }, (_, n) => ({ externalUserId: `guest-${n}` }));
    const one = batch(intentOf(batchId, { requested }));
    async function* many() {
      for (let n = 0; n <= MAX_REPORT_ATTENDEES / 100; n += 1) yield one;
    }
    await expect(collect(many())).rejects.toThrow('narrow it with --since and --until');
  });
});
