/** The engine did what the model does not allow, or did not do what it must. */
export class Divergence extends Error {
  override readonly name = 'Divergence';
}

export function diverge(message: string): never {
  throw new Divergence(message);
}
