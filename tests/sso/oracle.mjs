// What node-saml says of the SAML Responses in a file of JSON lines: a line for each.
import { readFileSync } from 'node:fs';
import { SAML } from '@node-saml/node-saml';

const RealDate = Date;
let now = 0;
// Messages are of a day of their own.
globalThis.Date = class extends RealDate {
  constructor(...args) { super(...(args.length === 0 ? [now] : args)); }
  static now() { return now; }
};

async function told(one) {
  now = one.now;
  const saml = new SAML({ idpCert: one.cert, idpIssuer: one.idp, issuer: one.sp, audience: one.sp, callbackUrl: one.acs, entryPoint: 'https://idp.example/sso',
    acceptedClockSkewMs: one.skew, wantAuthnResponseSigned: false, wantAssertionsSigned: false, validateInResponseTo: one.in_response_to ? 'always' : 'never',
    cacheProvider: { saveAsync: async () => null, removeAsync: async () => null, getAsync: async (id) => (id === one.in_response_to ? new RealDate(now).toISOString() : null) } });
  try {
    const { profile } = await saml.validatePostResponseAsync({ SAMLResponse: one.response });
    return { valid: profile !== null, name_id: profile?.nameID };
  } catch (error) {
    return { valid: false, name_id: String(error.message).slice(0, 80) };
  }
}

for (const line of readFileSync(process.argv[2], 'utf8').split('\n')) {
  process.stdout.write(`${JSON.stringify(await told(JSON.parse(line)))}\n`);
}
