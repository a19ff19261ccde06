// Every class of error that the client knows and the suite can give.
import assert from "node:assert/strict";
import { test } from "node:test";
import { client, connection, NOWHERE, provider, refused } from "./client.mjs";

const { providers, connections, fqdns, put, postText } = client();
const pointers = (errors) => errors.map(({ source }) => source.pointer).sort();
const codes = (errors) => errors.map(({ code }) => code);

test("400: a query", async () => {
  for (const of of [providers, connections]) {
    const wrong = [[{ sort: "nonsense" }, "sort"], [{ size: 251 }, "page[size]"], [{ number: -1 }, "page[number]"]];
    for (const [query, parameter] of wrong) {
      const [error] = await refused(400, of.page(query));
      assert.equal(error.source.parameter, parameter);
    }
  }
});

test("401: no such key", async () => {
  for (const key of [`lk_${"x".repeat(43)}`, "KEY", "null"]) {
    const stranger = client(key);
    for (const of of [stranger.providers, stranger.connections, stranger.fqdns]) {
      const [error] = await refused(401, of.retrieve(NOWHERE));
      assert.equal(error.code, "10009");
    }
  }
});

test("403: a key that may only read", async () => {
  const reader = client(process.env.LK_READ_KEY);
  await reader.providers.page();
  assert.deepEqual(codes(await refused(403, reader.providers.create(provider()))), ["10010"]);
  await refused(403, reader.connections.create(connection()));
});

test("404: no such resource", async () => {
  for (const of of [providers, connections, fqdns]) {
    for (const id of [NOWHERE, "1293384261075731499"]) {
      assert.deepEqual(codes(await refused(404, of.retrieve(id))), ["10005"]);
      await refused(404, of.update(id, { active: true }));
      await refused(404, of.update(id, {}));
      await refused(404, of.remove(id));
    }
  }
});

test("405, 413, 415", async () => {
  for (const path of ["authentication_providers", "fqdn_connections", "fqdns"]) {
    await refused(405, put(path));
    await refused(415, postText(path));
  }
  await refused(413, providers.create(provider({ name: "x".repeat(70000) })));
});

test("422: required members", async () => {
  const { settings, ...bare } = provider();
  for (const [sent, missing] of [[{ settings }, ["/name", "/short_name"]], [bare, ["/settings"]]]) {
    const errors = await refused(422, providers.create(sent));
    assert.deepEqual(pointers(errors), missing);
    assert.deepEqual(new Set(codes(errors)), new Set(["10004"]));
  }
  assert.deepEqual(pointers(await refused(422, providers.create({}))), ["/name", "/settings", "/short_name"]);
  assert.deepEqual(pointers(await refused(422, connections.create({}))), ["/connection_name"]);
  assert.deepEqual(pointers(await refused(422, fqdns.create({}))), ["/connection_id", "/dns_record_type", "/fqdn"]);
});

test("422: every faulty member, with its code", async () => {
  const wrong = provider({ name: ["Okta"], short_name: "No Blanks", active: "yes" });
  wrong.settings.idp_cert_fingerprint_algorithm = "md5";
  wrong.settings.idp_sso_target_url = "ftp://example.com";
  const errors = await refused(422, providers.create(wrong));
  const found = Object.fromEntries(errors.map(({ code, source }) => [source.pointer, code]));
  assert.deepEqual(Object.keys(found).sort(), ["/active", "/name", "/settings/idp_cert_fingerprint_algorithm",
    "/settings/idp_sso_target_url", "/short_name"]);
  assert.equal(found["/name"], "10026");
  assert.equal(found["/active"], "10026");
  assert.equal(found["/settings/idp_cert_fingerprint_algorithm"], "10032");
});

test("422: a name that is taken", async () => {
  const sent = provider();
  const made = await providers.create(sent);
  const again = await refused(422, providers.create(sent));
  assert.deepEqual([codes(again), pointers(again)], [["10012"], ["/short_name"]]);
  const other = await providers.create(provider());
  await refused(422, providers.update(other.id, { short_name: sent.short_name }));
  for (const { id } of [made, other]) await providers.remove(id);
});

test("429: over the key's rate", async () => {
  const hasty = client(process.env.LK_SLOW_KEY);
  const over = (async () => {
    for (let i = 0; i < 1000; i++) await hasty.providers.page({ size: 1 });
  })();
  assert.deepEqual(codes(await refused(429, over)), ["10011"]);
});
