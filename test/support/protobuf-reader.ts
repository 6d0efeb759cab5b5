// Reads protobuf without a schema: fields by number. Enough to look into what an exporter sent,
// and nobody's code but the wire format's own rules.

export type Field = bigint | Uint8Array;

/** A message as its fields: number → values in their order. */
export class Reader {
  readonly #fields = new Map<number, Field[]>();

  constructor(bytes: Uint8Array) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = 0;
    const varint = (): bigint => {
      let value = 0n;
      for (let shift = 0n; ; shift += 7n) {
        const byte = view.getUint8(at);
        at += 1;
        value |= BigInt(byte & 0x7f) << shift;
        if (byte < 0x80) return value;
      }
    };
    while (at < bytes.length) {
      const key = Number(varint());
      const values = this.#fields.get(key >> 3) ?? [];
      this.#fields.set(key >> 3, values);
      if ((key & 7) === 0) values.push(varint());
      else if ((key & 7) === 1) {
        values.push(view.getBigUint64(at, true));
        at += 8;
      } else if ((key & 7) === 2) {
        const length = Number(varint());
        values.push(bytes.subarray(at, at + length));
        at += length;
      } else if ((key & 7) === 5) {
        values.push(BigInt(view.getUint32(at, true)));
        at += 4;
      } else throw new Error(`wire type ${key & 7} at byte ${at}`);
    }
  }

  has(field: number): boolean {
    return this.#fields.has(field);
  }

  messages(field: number): readonly Reader[] {
    return (this.#fields.get(field) ?? []).map((value) => new Reader(bytesOf(value)));
  }

  message(field: number): Reader | undefined {
    return this.messages(field)[0];
  }

  text(field: number): string {
    return Buffer.from(bytesOf(this.#first(field) ?? new Uint8Array())).toString("utf8");
  }

  hex(field: number): string {
    return Buffer.from(bytesOf(this.#first(field) ?? new Uint8Array())).toString("hex");
  }

  int(field: number): number {
    return Number(this.#first(field) ?? 0n);
  }

  double(field: number): number {
    const view = new DataView(new ArrayBuffer(8));
    view.setBigUint64(0, BigInt(this.int64(field)));
    return view.getFloat64(0);
  }

  int64(field: number): bigint {
    const value = this.#first(field) ?? 0n;
    if (typeof value !== "bigint") throw new Error(`field ${field} is no number`);
    return value;
  }

  #first(field: number): Field | undefined {
    return this.#fields.get(field)?.[0];
  }
}

function bytesOf(value: Field): Uint8Array {
  if (typeof value === "bigint") throw new Error("a number where bytes were expected");
  return value;
}
