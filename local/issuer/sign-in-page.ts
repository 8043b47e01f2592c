import { NAME_PATTERN, PEOPLE } from './people.ts';

const STYLE = `
:root { color-scheme: light dark; --ink: light-dark(#16202b, #e8edf2); --soft: light-dark(#55636f, #a3b1bd);
  --ground: light-dark(#f4f6f8, #12181e); --card: light-dark(#fff, #1b242d); --line: light-dark(#cfd7de, #37434e);
  --accent: light-dark(#0b5cad, #7dbdff); --on-accent: light-dark(#fff, #0d1721); }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1rem; color: var(--ink);
  background: var(--ground); font: 1rem/1.5 system-ui, sans-serif; }
main { width: 100%; max-width: 28rem; padding: 1.75rem; background: var(--card); border: 1px solid var(--line); border-radius: .75rem; }
h1 { margin: 0 0 .25rem; font-size: 1.375rem; } p { margin: 0 0 1.25rem; color: var(--soft); }
fieldset { margin: 0 0 1rem; padding: 0; border: 0; display: grid; gap: .5rem; } legend { padding: 0; margin-bottom: .375rem; font-weight: 600; }
.choice { display: grid; grid-template-columns: auto 1fr; gap: 0 .75rem; padding: .625rem .875rem; border: 1px solid var(--line); border-radius: .5rem; cursor: pointer; }
.choice:has(:checked) { border-color: var(--accent); outline: 1px solid var(--accent); } .choice:has(:focus-visible) { outline: 3px solid var(--accent); }
.choice input { grid-row: span 2; accent-color: var(--accent); } .choice small { color: var(--soft); font-size: .875rem; }
label.name { display: grid; gap: .375rem; margin-bottom: 1.25rem; font-weight: 600; }
label.name small { font-weight: 400; color: var(--soft); font-size: .875rem; }
input[type=text] { font: inherit; padding: .5rem .75rem; width: 100%; border: 1px solid var(--soft); border-radius: .5rem; background: transparent; color: inherit; }
button { font: inherit; font-weight: 600; width: 100%; min-height: 2.75rem; border: 0; border-radius: .5rem; background: var(--accent); color: var(--on-accent); cursor: pointer; }
:is(button, input[type=text]):focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
`;

/** Asks for the user: the sign-in of an issuer that trusts everyone at this machine. */
export function signInPage(problem?: string): string {
  const choices = Object.entries(PEOPLE).map(
    ([role, { title, summary, name }], index) => `
<label class="choice"><input type="radio" name="role" value="${role}"${index === 0 ? ' checked' : ''}>
<span>${title} <span>(${name})</span></span><small>${summary}</small></label>`,
  );
  return page(
    'Who do you want to be?',
    `<p>${problem ?? 'This sign-in exists on this machine only, and asks for no password.'}</p>
<form method="post"><fieldset><legend>Sign in as</legend>${choices.join('')}</fieldset>
<label class="name">Another name <small>optional</small>
<input type="text" name="name" autocomplete="off" spellcheck="false" pattern="${NAME_PATTERN}" title="2 to 64 letters, digits and @ . _ -"></label>
<button>Sign in</button></form>`,
  );
}

/** @param form the form that the provider expects back */
export function signOutPage(form: string): string {
  return page(
    'Sign out?',
    `<p>You can then sign in as someone else.</p>${form}
<button form="op.logoutForm" name="logout" value="yes">Sign out</button>`,
  );
}

/** @param problem the problem of the request that led here */
export function errorPage(problem: string): string {
  const text = problem.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
  return page(
    'This sign-in does not work',
    `<p>The page that sent you here asks for something that the issuer refuses: ${text}.</p>`,
  );
}

function page(title: string, body: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,"><style>${STYLE}</style></head>
<body><main><h1>${title}</h1>${body}</main></body></html>`;
}
