/** All vertices of a graph with small numbers of their own, so that an edge is one number: `from * vertices + to`. */
export class VertexTable {
  readonly #byId = new Map<number, number>();
  readonly #byKey = new Map<string, number>();
  readonly #schemas: string[] = [];
  readonly #keys: (string | number)[] = [];

  get size(): number {
    return this.#keys.length;
  }

  add(schema: string, id: number, key: string | number): void {
    this.#byId.set(id, this.size);
    this.#byKey.set(`${schema} ${key}`, this.size);
    this.#schemas.push(schema);
    this.#keys.push(key);
  }

  /** The vertex of a cell id if it belongs to `schema`, else -1. */
  numberOfId(schema: string, id: number): number {
    const vertex = this.#byId.get(id) ?? -1;
    return this.#schemas[vertex] === schema ? vertex : -1;
  }

  /** The vertex of a key, or -1. */
  numberOfKey(schema: string, key: string | number): number {
    return this.#byKey.get(`${schema} ${key}`) ?? -1;
  }

  /** How many vertices a schema has. */
  count(schema: string): number {
    return this.#schemas.reduce((sum, one) => sum + (one === schema ? 1 : 0), 0);
  }

  keyOf(vertex: number): string | number {
    return this.#keys[vertex] ?? '';
  }

  edge(from: number, to: number): number {
    return from * this.size + to;
  }

  /** An edge the other way round. */
  reversed(edge: number): number {
    return this.edge(edge % this.size, Math.floor(edge / this.size));
  }

  /** Keys of both ends. */
  keysOf(edge: number): readonly [string | number, string | number] {
    return [this.keyOf(Math.floor(edge / this.size)), this.keyOf(edge % this.size)];
  }

  describe(edge: number): string {
    return this.keysOf(edge).join(' -> ');
  }
}
