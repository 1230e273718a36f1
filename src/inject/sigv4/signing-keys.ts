import { createHmac } from 'node:crypto';

/** What a signature holds for, besides its day. */
export interface SigningScope {
  readonly region: string;
  readonly service: string;
}

/** A secret is used in a few regions for a few services; a client that makes scopes up must not fill the memory. */
const MAX_KEYS = 256;

/**
 * The signing keys that one secret access key gives, each derived once: four HMACs over day, region and service (AWS Signature Version 4,
 * "Calculate the signature", step "derive a signing key").
 */
export class SigningKeys {
  readonly #secretAccessKey: string;
  readonly #keys = new Map<string, Buffer>();
  #day = '';

  constructor(secretAccessKey: string) {
    this.#secretAccessKey = secretAccessKey;
  }

  /** The key for `day` (`20251125`). */
  of(day: string, { region, service }: SigningScope): Buffer {
    if (day !== this.#day || this.#keys.size >= MAX_KEYS) {
      this.#keys.clear();
      this.#day = day;
    }
    const name = `${region}/${service}`;
    let key = this.#keys.get(name);
    if (key === undefined) this.#keys.set(name, (key = this.#derive(day, region, service)));
    return key;
  }

  #derive(day: string, region: string, service: string): Buffer {
    const steps = [day, region, service, 'aws4_request'];
    return steps.reduce<Buffer>(
      (key, step) => createHmac('sha256', key).update(step, 'utf8').digest(),
      Buffer.from(`AWS4${this.#secretAccessKey}`),
    );
  }
}
