// Authentication providers: the five routes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { client, NOWHERE, provider, refused, repeats } from "./client.mjs";

const { providers } = client();

test("create, retrieve, delete", async () => {
  const sent = provider();
  const made = await providers.create(sent);
  repeats(sent, made);
  assert.equal(made.record_type, "authentication_provider");
  assert.equal(made.active, true);
  assert.equal(made.settings.idp_cert_fingerprint_algorithm, "sha1");
  assert.ok(made.settings.service_provider_login_url.endsWith(`/sso/${sent.short_name}`));
  assert.ok(made.settings.assertion_consumer_service_url.endsWith(`/sso/saml/auth/${sent.short_name}`));
  assert.ok(made.settings.service_provider_entity_id.endsWith(`/sso/saml/metadata/${sent.short_name}`));
  assert.ok(!Number.isNaN(Date.parse(made.created_at)));
  assert.deepEqual(await providers.retrieve(made.id), made);
  assert.deepEqual(await providers.remove(made.id), made);
  await refused(404, providers.retrieve(made.id));
});

test("what the client documents as an example", async () => {
  const sent = provider({ active: true, settings_url: "https://myorg.myidp.com/saml/metadata" });
  sent.settings.idp_cert_fingerprint_algorithm = "sha256";
  const made = await providers.create(sent);
  repeats(sent, made);
  await providers.remove(made.id);
});

test("read-only and unknown members are ignored", async () => {
  const made = await providers.create(provider({ id: NOWHERE, record_type: "x", created_at: 5, unknown: [1] }));
  assert.notEqual(made.id, NOWHERE);
  assert.equal(made.record_type, "authentication_provider");
  await providers.remove(made.id);
});

test("update changes what is sent, in the settings too", async () => {
  const sent = provider();
  const made = await providers.create(sent);
  const changed = await providers.update(made.id, {
    name: "Other", active: false, settings: { idp_cert_fingerprint_algorithm: "sha512" },
  });
  repeats({ ...sent, name: "Other", active: false }, changed);
  assert.equal(changed.settings.idp_cert_fingerprint_algorithm, "sha512");
  assert.deepEqual(await providers.retrieve(made.id), changed);
  await providers.remove(made.id);
});

test("update with {} changes nothing", async () => {
  const made = await providers.create(provider());
  assert.deepEqual(await providers.update(made.id, {}), made);
  assert.deepEqual(await providers.retrieve(made.id), made);
  await providers.remove(made.id);
});

test("list without parameters: newest first", async () => {
  const made = [];
  for (let i = 0; i < 3; i++) made.unshift((await providers.create(provider())).id);
  const { data, meta } = await providers.page();
  assert.deepEqual(data.slice(0, 3).map(({ id }) => id), made);
  assert.equal(meta.page_number, 1);
  assert.equal(meta.page_size, 20);
  for (const id of made) await providers.remove(id);
});
