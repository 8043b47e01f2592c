import { generateKeyPairSync, sign } from 'node:crypto';
import { LOOPBACK } from '../local/http-server.ts';

/** A key and a self-signed certificate, in PEM. */
export interface KeyPair {
  key: string;
  cert: string;
}

/** A certificate of this machine (RFC 5280 section 4.1), on P-256 as those of AWS may be; good for a day. */
export function createCertificate(): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'));
  const name = sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from('usher bench')))));
  const time = (ms: number) =>
    der(
      0x17,
      Buffer.from(
        new Date(ms)
          .toISOString()
          .slice(2)
          .replaceAll(/[-:T]|\.\d+/g, ''),
      ),
    );
  const address = der(0x87, Buffer.from(LOOPBACK.split('.').map(Number)));
  const extensions = sequence(
    // basicConstraints, critical: it is its own authority; subjectAltName.
    sequence(
      oid('551d13'),
      der(0x01, Buffer.from([0xff])),
      der(0x04, sequence(der(0x01, Buffer.from([0xff])))),
    ),
    sequence(oid('551d11'), der(0x04, sequence(der(0x82, Buffer.from('localhost')), address))),
  );
  const toBeSigned = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1])),
    ecdsaWithSha256,
    name,
    sequence(time(Date.now() - 3_600_000), time(Date.now() + 86_400_000)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, extensions),
  );
  const signature = Buffer.concat([Buffer.from([0]), sign('sha256', toBeSigned, privateKey)]);
  const certificate = sequence(toBeSigned, ecdsaWithSha256, der(0x03, signature));
  const lines = (certificate.toString('base64').match(/.{1,64}/g) ?? []).join('\n');
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
  };
}

/** One value in DER: its tag, its length, its content. */
function der(tag: number, ...contents: Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const length =
    content.length < 128
      ? [content.length]
      : content.length < 256
        ? [0x81, content.length]
        : [0x82, content.length >> 8, content.length & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

function sequence(...members: Buffer[]): Buffer {
  return der(0x30, ...members);
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'));
}
