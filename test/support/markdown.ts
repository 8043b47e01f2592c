/** What a page of Markdown links to, and what can be linked to in it. Code blocks count for neither. */

const withoutCode = (text: string): string => text.replaceAll(/^(`{3,}).*?^\1`*$/gms, '');

/** The targets of inline links, as written. */
export function linksOf(text: string): string[] {
  return [...withoutCode(text).matchAll(/\]\(([^()\s]+)\)/g)].map(([, target = '']) => target);
}

/** The anchors that GitHub gives to the headings of a page. */
export function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of withoutCode(text).matchAll(/^#{1,6} +(.+)$/gm)) {
    const slug = heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .trim()
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M} _-]/gu, '')
      .replaceAll(' ', '-');
    let anchor = slug;
    for (let count = 1; anchors.has(anchor); count += 1) anchor = `${slug}-${count}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** The paths of files and folders of the repository that a page names in backticks. */
export function pathsNamedIn(text: string): string[] {
  const names = [...withoutCode(text).matchAll(/`([^`\s]+)`/g)].map(([, name = '']) => name);
  return names.filter((name) =>
    /^(\.ci|bench|bin|cli|config|docs|examples|lambda|lib|local|scripts|test|tools)\//.test(name),
  );
}
