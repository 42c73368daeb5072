/** What the checks of the documentation ask of a Markdown file. As much of the syntax as these documents use. */
export interface Document {
  readonly links: readonly Link[];
  /** What `#…` can name, as GitHub makes it of the headings. */
  readonly anchors: ReadonlySet<string>;
  readonly blocks: readonly Block[];
  /** Text outside of fences. */
  readonly lines: readonly Line[];
}

interface Link {
  readonly text: string;
  readonly target: string;
  readonly line: number;
}

/** A fenced block. */
interface Block {
  readonly language: string;
  readonly text: string;
  readonly line: number;
  /** The fenced block behind it, if nothing but empty lines and one of text ending in a colon is between them. */
  readonly next: Block | undefined;
}

interface Line {
  readonly text: string;
  readonly number: number;
  /** The heading it stands under. */
  readonly heading: string;
}

const FENCE = /^```(\w*)/;
const LINK = /(?<!!)\[((?:\\.|[^\]\\])*)\]\(([^)\s]+)\)/g;

export function parse(markdown: string): Document {
  const lines: Line[] = [];
  const fences: { language: string; text: string; line: number; end: number }[] = [];
  const anchors = new Set<string>();
  let heading = '';
  let open: { language: string; text: string[]; line: number } | undefined;
  markdown.split('\n').forEach((text, n) => {
    const fence = FENCE.exec(text);
    if (open !== undefined && fence !== null) {
      fences.push({ ...open, text: open.text.join('\n'), end: n + 1 });
      open = undefined;
    } else if (open !== undefined) {
      open.text.push(text);
    } else if (fence !== null) {
      open = { language: fence[1]!, text: [], line: n + 1 };
    } else {
      if (/^#+ /.test(text)) {
        heading = text.replace(/^#+ /, '');
        anchors.add(anchor(heading));
      }
      lines.push({ text, number: n + 1, heading });
    }
  });
  const links = lines.flatMap(({ text, number }) =>
    text.startsWith('    ')
      ? []
      : [...text.matchAll(LINK)].map(([, label, target]) => ({
          text: plain(label!),
          target: target!,
          line: number,
        })),
  );
  return { links, anchors, lines, blocks: linked(fences, lines) };
}

function linked(fences: readonly (Omit<Block, 'next'> & { readonly end: number })[], lines: readonly Line[]): Block[] {
  const blocks: Block[] = [];
  for (const { end, ...fence } of fences.toReversed()) {
    const after = blocks[0];
    const between = lines.filter(({ text, number }) => number > end && number < (after?.line ?? 0) && text.trim());
    const near = after !== undefined && between.length <= 1 && between.every(({ text }) => text.endsWith(':'));
    blocks.unshift({ ...fence, next: near ? after : undefined });
  }
  return blocks;
}

/** As it is read: without the backslashes that keep Markdown from taking it for something else. */
function plain(text: string): string {
  return text.replace(/\\([^\w\s])/g, '$1');
}

function anchor(heading: string): string {
  return plain(heading)
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-');
}
