import { type User, UserManager } from 'oidc-client-ts';
import type { Settings } from './settings.ts';

/** The session is over: only a new sign-in helps. */
export class SessionOver extends Error {
  override name = 'SessionOver';
}

/** The state of a sign-in, kept while the browser is at the issuer. */
interface Purpose {
  meetingId: string;
  /** Whether the page began it automatically, which it must not repeat. */
  silently: boolean;
}

export interface SignIn {
  /** The signed-in user, and the state of the sign-in that this page load completes. */
  begin(): Promise<{ user: User | null } & Partial<Purpose>>;
  /** Leaves for the issuer's page, which asks for the user unless `silently` is set and it knows. */
  signIn(purpose: { meetingId?: string | undefined; silently?: boolean }): Promise<void>;
  signOut(): Promise<void>;
  /** @throws SessionOver */
  accessToken(options?: { refresh?: boolean }): Promise<string>;
}

/** Authorization code with PKCE, and refresh tokens: everything is oidc-client-ts, which works with any OpenID Connect issuer. */
export function createSignIn({ issuer, clientId, scope }: Settings): SignIn {
  const here = new URL('.', location.href).href;
  const manager = new UserManager({
    authority: issuer,
    client_id: clientId,
    redirect_uri: here,
    post_logout_redirect_uri: here,
    scope,
    // accessToken() refreshes when a token is needed.
    automaticSilentRenew: false,
  });

  async function refresh(): Promise<User> {
    try {
      const user = await manager.signinSilent();
      if (user !== null) return user;
    } catch (error) {
      // Being offline does not end a session.
      if (error instanceof TypeError) throw error;
    }
    throw new SessionOver('The session is over.');
  }

  return {
    async begin() {
      const parameters = new URLSearchParams(location.search);
      const returned = parameters.has('state') && (parameters.has('code') || parameters.has('error'));
      if (!returned) return { user: await manager.getUser() };
      try {
        const user = await manager.signinRedirectCallback();
        return { user, ...(user.state as Partial<Purpose> | undefined) };
      } finally {
        // A reload must not use the code again.
        history.replaceState(null, '', here);
      }
    },

    signIn: ({ meetingId, silently = false }) =>
      manager.signinRedirect({
        state: { silently, ...(meetingId && { meetingId }) },
        ...(!silently && { prompt: 'login' }),
      }),

    signOut: () => manager.signoutRedirect(),

    async accessToken({ refresh: wanted = false } = {}) {
      const user = await manager.getUser();
      if (user === null) throw new SessionOver('No one is signed in.');
      return (wanted || user.expired ? await refresh() : user).access_token;
    },
  };
}
