import { styleText } from 'node:util';

/** Where an example writes. `live`: a line can be drawn over, and colors are seen. */
export interface Terminal {
  readonly live: boolean;
  readonly columns: number;
  write(text: string): void;
}

export const standardOutput: Terminal = {
  live: process.stdout.isTTY && process.env['NO_COLOR'] === undefined && process.env['TERM'] !== 'dumb',
  columns: process.stdout.columns || 80,
  write: (text) => void process.stdout.write(text),
};

export type Style = 'bold' | 'dim' | 'green' | 'yellow' | 'red' | 'cyan';

export function styled(terminal: Terminal, style: Style, text: string): string {
  return terminal.live ? styleText(style, text) : text;
}

const FRAME_MS = 60;
const BAR = 24;

/** How far it is: one line that is drawn over and over on a terminal, a plain line at each quarter elsewhere. */
export class Progress {
  private readonly terminal: Terminal;
  private drawn = -Infinity;
  private quarter = 0;

  constructor(terminal: Terminal) {
    this.terminal = terminal;
  }

  show(share: number, text: () => string): void {
    if (this.terminal.live) {
      const now = performance.now();
      if (now - this.drawn < FRAME_MS) return;
      this.drawn = now;
      this.draw(share, text());
    } else if (share < 1 && Math.floor(share * 4) > this.quarter) {
      this.quarter = Math.floor(share * 4);
      this.terminal.write(`  ${text()}\n`);
    }
  }

  /** A line that stays, above the one that is drawn over. */
  note(text: string): void {
    this.terminal.write(`${this.terminal.live ? '\r\u001b[2K' : ''}  ${text}\n`);
    this.drawn = -Infinity;
  }

  /** The last state stays. */
  end(share: number, text: () => string): void {
    if (this.terminal.live) this.draw(share, text());
    this.terminal.write(this.terminal.live ? '\n' : `  ${text()}\n`);
  }

  private draw(share: number, text: string): void {
    const full = Math.round(share * BAR);
    const line = text.slice(0, Math.max(0, this.terminal.columns - BAR - 5));
    const bar = styled(this.terminal, 'cyan', '━'.repeat(full)) + styled(this.terminal, 'dim', '─'.repeat(BAR - full));
    this.terminal.write(`\r\u001b[2K  ${bar}  ${line}`);
  }
}

/** Rows under a heading, numbers to the right. */
export function table(terminal: Terminal, head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, n) => Math.max(title.length, ...rows.map((row) => row[n]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells.map((cell, n) => (n === 0 ? cell.padEnd(widths[n]!) : cell.padStart(widths[n]!))).join('   ');
  const rule = widths.map((width) => '─'.repeat(width)).join('───');
  return [styled(terminal, 'bold', line(head)), styled(terminal, 'dim', rule), ...rows.map(line)]
    .map((text) => `  ${text}\n`)
    .join('');
}
