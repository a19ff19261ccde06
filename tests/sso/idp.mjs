// An identity provider for tests, on samlp. People log in by a form. A line of JSON says where it is.
//   node idp.mjs KEY CERTIFICATE WRONG_KEY WRONG_CERTIFICATE
// /sso?mode=MODE answers as modes.mjs says; /slo logs out, also where nobody asked for it; /start?sp=URL logs in where
// nobody asked for it.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { randomUUID } from 'node:crypto';
import samlp from 'samlp';
import { respond } from './modes.mjs';
import { serviceProvider } from './partner.mjs';

const Participants = createRequire(import.meta.url)('samlp/lib/sessionParticipants');
const REDIRECT = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect';
const EMAIL = 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress';
const [key, cert, wrongKey, wrongCert] = process.argv.slice(2).map((file) => readFileSync(file, 'utf8'));
const people = { amelia: 'amelia@example.com', "o'brien": "o'brien+ü@example.com" };
const sessions = new Map(); // of this identity provider, by its cookie

const escape = (text) => text.replace(/[&<>"']/g, (one) => `&#${one.charCodeAt(0)};`);

function loginPage(fields, fault) {
  const hidden = Object.entries(fields).map(([name, value]) =>
    `<input type="hidden" name="${name}" value="${escape(value)}">`).join('');
  return `<!doctype html><html lang="en"><head><title>samlp login</title><link rel="icon" href="data:,"></head><body><h1>samlp</h1>
    <p role="alert">${fault}</p><form method="post" action="/login">${hidden}
    <label>User <input name="user" autofocus></label><label>Password <input name="password" type="password"></label>
    <button>Log in</button></form></body></html>`;
}

// What samlp expects of express.
function dress(request, response, body) {
  const url = new URL(request.url, `http://${request.headers.host}`);
  const id = /(?:^|; )idp=([^;]+)/.exec(request.headers.cookie ?? '')?.[1];
  request.query = Object.fromEntries(url.searchParams);
  request.body = Object.fromEntries(new URLSearchParams(body));
  request.originalUrl = request.url;
  request.protocol = 'http';
  request.person = sessions.get(id);
  request.session = request.person?.state ?? {};
  response.set = (name, value) => response.setHeader(name, value);
  response.send = (what) => {
    if (typeof what === 'number') response.statusCode = what;
    response.end(typeof what === 'number' ? '' : what);
  };
  response.redirect = (to) => response.writeHead(302, { Location: to }).end();
  return url.pathname;
}

async function answer(request, response, asked) {
  const sp = await serviceProvider(asked.issuer);
  const person = request.person;
  const sessionIndex = `_${randomUUID()}`;
  if (sp.slo) {
    person.participants.push({ serviceProviderId: asked.issuer, nameId: person.nameId, nameIdFormat: EMAIL, sessionIndex, binding: REDIRECT,
      serviceProviderLogoutURL: sp.slo, cert: sp.cert });
  }
  const html = await respond({ key, cert, wrongKey, wrongCert, issuer: `${base}/metadata`, person, sessionIndex,
    audience: asked.issuer, acs: sp.acs, relayState: asked.relayState, inResponseTo: asked.inResponseTo, mode: asked.mode });
  response.setHeader('Content-Type', 'text/html; charset=utf-8');
  response.send(html);
}

// Whom the request is from, once it is known to be theirs.
async function parse(request, fields) {
  const read = (options) => new Promise((resolve, reject) =>
    samlp.parseRequest({ method: 'GET', query: fields }, options, (error, data) => error ? reject(error) : resolve(data)));
  const asked = await read({});
  const { cert: theirs } = await serviceProvider(asked.issuer);
  if (theirs) await read({ signingCert: theirs, deflate: true, relayState: fields.RelayState });
  return { issuer: asked.issuer, inResponseTo: asked.id, relayState: fields.RelayState ?? '', mode: fields.mode ?? 'assertion' };
}

const routes = {
  'GET /sso': async (request, response) => {
    const asked = await parse(request, request.query);
    if (request.person) return answer(request, response, asked);
    response.setHeader('Content-Type', 'text/html; charset=utf-8');
    response.send(loginPage(request.query, ''));
  },
  'POST /login': async (request, response) => {
    const { user, password, ...fields } = request.body;
    response.setHeader('Content-Type', 'text/html; charset=utf-8');
    if (!people[user] || password !== 'correct horse') return response.send(loginPage(fields, 'Wrong user or password'));
    const id = randomUUID();
    request.person = { nameId: people[user], user, participants: [], state: {} };
    sessions.set(id, request.person);
    response.setHeader('Set-Cookie', `idp=${id}; HttpOnly; Path=/`);
    return answer(request, response, await parse(request, fields));
  },
  'GET /favicon.ico': (request, response) => response.writeHead(204).end(),
  'GET /start': (request, response) => {
    request.person = { nameId: people.amelia, user: 'amelia', participants: [], state: {} };
    return answer(request, response, { issuer: request.query.sp, relayState: request.query.relay ?? '', mode: 'assertion' });
  },
  'GET /slo': (request, response, next) => {
    const person = request.person ?? { participants: [], state: {} };
    samlp.logout({ deflate: true, issuer: `${base}/metadata`, cert, key, protocolBinding: REDIRECT,
      sessionParticipants: new Participants(person.participants),
      clearIdPSession: (done) => {
        for (const [id, one] of sessions) if (one === person) sessions.delete(id);
        done();
      } })(request, response, next);
  },
};

const server = createServer(async (request, response) => {
  let body = '';
  for await (const chunk of request) body += chunk;
  const fail = (error) => {
    response.statusCode = 500;
    response.end(`identity provider: ${error?.stack ?? error}`);
  };
  try {
    const route = routes[`${request.method} ${dress(request, response, body)}`];
    if (!route) return response.writeHead(404).end();
    await route(request, response, fail);
  } catch (error) {
    fail(error);
  }
});
let base;
server.listen(0, '127.0.0.1', () => {
  base = `http://127.0.0.1:${server.address().port}`;
  routes['GET /metadata'] = samlp.metadata({ issuer: `${base}/metadata`, cert, redirectEndpointPath: '/sso',
    postEndpointPath: '/sso', logoutEndpointPaths: { redirect: '/slo' } });
  console.log(JSON.stringify({ base }));
});
