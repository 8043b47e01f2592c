/** An element's content: text, or elements by their names, a list for one that is repeated. */
export type XmlContent =
  | string
  | number
  | boolean
  | { [name: string]: XmlContent | XmlContent[] | undefined };

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '\r': '&#13;' };

/** A document of one element; members that are undefined are left out. */
export function toXml(name: string, content: XmlContent): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element(name, content)}`;
}

function element(name: string, content: XmlContent): string {
  return `<${name}>${typeof content === 'object' ? children(content) : escaped(String(content))}</${name}>`;
}

function children(content: Exclude<XmlContent, string | number | boolean>): string {
  return Object.entries(content)
    .flatMap(([name, member]) => {
      if (member === undefined) return [];
      return (Array.isArray(member) ? member : [member]).map((one) => element(name, one));
    })
    .join('');
}

function escaped(text: string): string {
  return text.replace(/[&<>\r]/g, (character) => ESCAPES[character] ?? character);
}

/** The text of the first element of this name; enough for the few documents that clients send here. */
export function textOf(xml: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
}
