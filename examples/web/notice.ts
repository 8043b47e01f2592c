import type { Problem } from './problems.ts';

/** The one place for messages of the page. */
export interface Notice {
  clear(): void;
  working(title: string): void;
  /**
   * Shows a problem, with its countdown or its button.
   *
   * @param act what the remedy does
   */
  problem(problem: Problem, act: () => void): void;
}

export function createNotice(elements: {
  box: HTMLElement;
  title: HTMLElement;
  text: HTMLElement;
  detail: HTMLElement;
  action: HTMLButtonElement;
}): Notice {
  const { box, title, text, detail, action } = elements;
  let timer: number | undefined;

  function show(
    kind: 'problem' | 'wait' | undefined,
    words: { title: string; text?: string; detail?: string },
  ) {
    clearInterval(timer);
    if (kind === undefined) delete box.dataset['kind'];
    else box.dataset['kind'] = kind;
    title.textContent = words.title;
    text.textContent = words.text ?? '';
    detail.textContent = words.detail ?? '';
    action.hidden = true;
  }

  function offer(label: string, act: () => void) {
    action.textContent = label;
    action.onclick = act;
    action.hidden = false;
  }

  function countDown(waitMs: number, act: () => void) {
    const untilMs = Date.now() + waitMs;
    const go = () => {
      clearInterval(timer);
      window.removeEventListener('online', go);
      act();
    };
    window.addEventListener('online', go, { once: true });
    const tick = () => {
      const seconds = Math.ceil((untilMs - Date.now()) / 1000);
      if (seconds <= 0) go();
      else action.textContent = `Try now (or in ${seconds} s)`;
    };
    offer('', go);
    tick();
    timer = window.setInterval(tick, 250);
  }

  return {
    clear: () => show(undefined, { title: '' }),
    working: (words) => show('wait', { title: words }),
    problem(problem, act) {
      // Scrolls to the step below the notice, so that all of it is visible.
      requestAnimationFrame(() => box.scrollIntoView({ block: 'nearest' }));
      const waits = problem.remedy === 'wait' || problem.remedy === 'sign-in';
      show(waits ? 'wait' : 'problem', problem);
      if (problem.remedy === 'wait') countDown(problem.waitMs ?? 0, act);
      if (problem.remedy === 'retry') offer('Try again', act);
      if (problem.remedy === 'choose') offer('Choose another meeting', act);
    },
  };
}
