import { generate } from 'selfsigned';
import { ulid } from 'ulid';

/** A certificate and its key, as PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** A certificate authority of a test's own. */
export interface Authority {
  readonly cert: string;
  /** A certificate of a server with these names; addresses are in it, too. */
  server(names: readonly string[]): Promise<Certificate>;
  /** A certificate of a client. */
  client(name: string): Promise<Certificate>;
}

/** Makes a certificate authority, which nobody else trusts. */
export async function certificateAuthority(): Promise<Authority> {
  const own = await generate([{ name: 'commonName', value: `Test Authority ${ulid()}` }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const ca = { key: own.private, cert: own.cert };
  const signed = async (
    name: string,
    extensions: NonNullable<Parameters<typeof generate>[1]>['extensions'],
  ): Promise<Certificate> => {
    const { cert, private: key } = await generate([{ name: 'commonName', value: name }], {
      keyType: 'ec',
      algorithm: 'sha256',
      ca,
      extensions: [{ name: 'basicConstraints', cA: false }, ...(extensions ?? [])],
    });
    return { cert, key };
  };
  return {
    cert: own.cert,
    server: ([name = '', ...others]) =>
      signed(name, [
        { name: 'extKeyUsage', serverAuth: true },
        {
          name: 'subjectAltName',
          altNames: [name, ...others].map((one) =>
            /^[\d.]+$/.test(one) ? { type: 7, ip: one } : { type: 2, value: one },
          ),
        },
      ]),
    client: (name) => signed(name, [{ name: 'extKeyUsage', clientAuth: true }]),
  };
}
