// Which release is tested ($LK_SDK), and where ($LK_BASE). Both are asked in the same words:
//   providers, connections, fqdns: create retrieve update remove page all; authentication: retrieve update
import assert from "node:assert/strict";

const release = await import(`./${process.env.LK_SDK}.mjs`);

export const NOWHERE = "01890000-0000-7000-8000-000000000000";
export const client = (key = process.env.LK_KEY) => release.open(key, process.env.LK_BASE);

// The promise is refused with that status, in the release's own class for it, and the v2 envelope.
// Returns the errors.
export async function refused(status, promise) {
  let error;
  await assert.rejects(promise, (caught) => {
    error = caught;
    return true;
  });
  const { kind, status: given, errors } = release.failure(error);
  assert.equal(given, status, error.message);
  assert.equal(kind, release.kinds[status]);
  assert.ok(errors.length > 0);
  for (const { code, title, detail } of errors)
    for (const text of [code, title, detail]) assert.equal(typeof text, "string");
  return errors;
}

// What was sent comes back; secrets are masked. Members that the answer lacks are named in `but`.
export function repeats(sent, received, but = []) {
  for (const [name, value] of Object.entries(sent)) {
    if (but.includes(name)) continue;
    const given = received[name];
    if (given === "********" && /password|token/.test(name)) continue;
    if (value !== null && typeof value === "object" && !Array.isArray(value)) repeats(value, given, but);
    else assert.deepEqual(given, value, name);
  }
}

let count = 0;
const unique = (what) => `${what}-${process.env.LK_TAG}-${process.pid}-${++count}`;

export const provider = (more = {}) => ({
  name: "Okta",
  short_name: unique("org"),
  settings: {
    idp_entity_id: "https://idp.example.com/saml/metadata",
    idp_sso_target_url: "https://idp.example.com/trust/saml2/http-post/sso",
    idp_cert_fingerprint: "13:38:C7:BB:C9:FF:4A:70:38:3A:E3:D9:5C:CD:DB:2E:50:1E:80:A7",
  },
  ...more,
});
export const connection = (more = {}) => ({ connection_name: unique("connection"), ...more });
export const userName = () => unique("user").replaceAll("-", "");
export const domain = () => `${unique("sip")}.example.com`;
