/** The users of the sign-in page, and the content of their access tokens. */
export interface Person {
  title: string;
  summary: string;
  /** The name that the page suggests. */
  name: string;
  /** Scopes of the API that the user may be granted. */
  scopes: readonly string[];
  tenant: string;
}

/** The public client of pages, with PKCE. */
export const PAGE_CLIENT_ID = 'local-page';

/** The confidential client of a backend. */
export const BACKEND_CLIENT_ID = 'local-backend';

export const DELEGATE_SCOPE = 'attendees.create';
export const SELF_SCOPE = 'attendees.create.self';

/** By the value of the form's field. */
export const PEOPLE: Readonly<Record<string, Person>> = {
  host: {
    title: 'A host',
    summary: 'may name anyone, in meetings of the tenant acme',
    name: 'alice',
    scopes: [DELEGATE_SCOPE],
    tenant: 'acme',
  },
  guest: {
    title: 'A guest',
    summary: 'may let in only themselves, and share no content',
    name: 'gail',
    scopes: [SELF_SCOPE],
    tenant: 'acme',
  },
  stranger: {
    title: 'A guest of another tenant',
    summary: 'belongs to globex, so no meeting of acme exists for them',
    name: 'otto',
    scopes: [SELF_SCOPE],
    tenant: 'globex',
  },
  visitor: {
    title: 'Someone without rights',
    summary: 'can sign in, and gets no scope of the API',
    name: 'vera',
    scopes: [],
    tenant: 'acme',
  },
};

/** The form of an ExternalUserId, without characters that do not belong in a name (see openapi.json). */
export const NAME_PATTERN = '[A-Za-z0-9@._\\-]{2,64}';
