// Responses of samlp, good ones and others. assertion, response, both: what is signed; sha1: how; the rest is for refusal.
import { createRequire } from 'node:module';
import samlp from 'samlp';

const form = createRequire(import.meta.url)('samlp/lib/templates').form;

const mapper = (person) => ({
  getClaims: () => ({ mail: person.nameId, displayName: `The user ${person.user}`, groups: ['staff', 'voice'] }),
  getNameIdentifier: () => ({ nameIdentifier: person.nameId, nameIdentifierFormat: 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress' }),
});

const modes = {
  assertion: () => ({}),
  response: () => ({ signResponse: true, signAssertion: false }),
  both: () => ({ signResponse: true }),
  sha1: () => ({ signatureAlgorithm: 'rsa-sha1', digestAlgorithm: 'sha1' }),
  unsigned: () => ({ signAssertion: false }),
  audience: () => ({ audience: 'https://elsewhere.example/metadata' }),
  recipient: () => ({ recipient: 'https://elsewhere.example/acs' }),
  issuer: () => ({ issuer: 'https://elsewhere.example/idp' }),
  expired: () => ({ lifetimeInSeconds: -600 }),
  unasked: () => ({ inResponseTo: undefined }),
  stranger: () => ({ inResponseTo: `_${'0'.repeat(40)}` }),
  forged: ({ wrongKey, wrongCert }) => ({ key: wrongKey, cert: wrongCert }),
  tampered: () => ({}),
  denied: () => ({ error: { description: 'Not allowed in' } }),
};

export async function respond(login) {
  if (!modes[login.mode]) throw new Error(`no mode ${login.mode}`);
  const options = { signatureAlgorithm: 'rsa-sha256', digestAlgorithm: 'sha256', key: login.key, cert: login.cert, issuer: login.issuer,
    audience: login.audience, recipient: login.acs, destination: login.acs, inResponseTo: login.inResponseTo,
    lifetimeInSeconds: 300, sessionIndex: login.sessionIndex, profileMapper: mapper, ...modes[login.mode](login) };
  if (login.mode === 'denied') {
    return new Promise((resolve, reject) => samlp.sendError({ ...options, signResponse: true, RelayState: login.relayState,
      getPostURL: (request, done) => done(null, login.acs) })({}, { set: () => {}, send: resolve }, reject));
  }
  let xml = await new Promise((resolve, reject) =>
    samlp.getSamlResponse(options, login.person, (error, text) => error ? reject(error) : resolve(text)));
  if (login.mode === 'tampered') xml = xml.replaceAll('>amelia@', '>admin@');
  return form({ type: 'SAMLResponse', callback: login.acs, RelayState: login.relayState, token: Buffer.from(xml).toString('base64') });
}
