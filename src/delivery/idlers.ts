import type { SluiceError } from '../errors.js';

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: SluiceError) => void;
}

/** Those who wait until there is nothing left to do. */
export class Idlers {
  private waiting: Waiting[] = [];

  get any(): boolean {
    return this.waiting.length > 0;
  }

  wait(): Promise<void> {
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
  }

  resolve(): void {
    for (const one of this.leave()) one.resolve();
  }

  reject(error: SluiceError): void {
    for (const one of this.leave()) one.reject(error);
  }

  private leave(): Waiting[] {
    const { waiting } = this;
    this.waiting = [];
    return waiting;
  }
}
