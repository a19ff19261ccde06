// FQDN connections, their FQDN authentication, and FQDNs.
import assert from "node:assert/strict";
import { test } from "node:test";
import { client, connection, domain, NOWHERE, refused, repeats, userName } from "./client.mjs";

const { connections, fqdns, authentication } = client();

test("connection: create, retrieve, update, delete", async () => {
  const sent = connection();
  const made = await connections.create(sent);
  repeats(sent, made);
  assert.equal(made.active, true);
  assert.deepEqual(await connections.retrieve(made.id), made);
  const changed = await connections.update(made.id, { active: false, tags: ["a", "b"] });
  repeats({ ...sent, active: false, tags: ["a", "b"] }, changed);
  assert.deepEqual(await connections.update(made.id, {}), changed);
  assert.deepEqual(await connections.retrieve(made.id), changed);
  assert.deepEqual(await connections.remove(made.id), changed);
  await refused(404, connections.retrieve(made.id));
});

test("connection with all that the client's types name", async () => {
  const stored = connection({
    active: false, transport_protocol: "TCP", tags: ["tag1", "tag2"],
    webhook_event_url: "https://example.com/hook", webhook_event_failover_url: "https://failover.example.com/hook",
    inbound: {
      ani_number_format: "+E.164", channel_limit: 10, codecs: ["G722"], default_routing_method: "sequential",
      dnis_number_format: "+e164", generate_ringback_tone: true, isup_headers_enabled: true, prack_enabled: true,
      shaken_stir_enabled: true, sip_compact_headers_enabled: true, sip_region: "US", sip_subdomain: "string",
      sip_subdomain_receive_settings: "only_my_connections", timeout_1xx_secs: 10, timeout_2xx_secs: 20,
    },
    outbound: {
      ani_override: "+1234567890", ani_override_type: "always", call_parking_enabled: true, channel_limit: 10,
      generate_ringback_tone: true, instant_ringback_enabled: true, ip_authentication_method: "ip-authentication",
      ip_authentication_token: `token${userName()}`, localization: "US", outbound_voice_profile_id: NOWHERE,
      t38_reinvite_source: "customer", tech_prefix: process.env.LK_PREFIX, timeout_1xx_secs: 10, timeout_2xx_secs: 20,
    },
  });
  const ignored = {
    anchorsite_override: "Latency", call_cost_in_webhooks: false, default_on_hold_comfort_noise_enabled: false,
    dtmf_type: "RFC 2833", encode_contact_header_enabled: true, encrypted_media: "SRTP", noise_suppression: "both",
    jitter_buffer: { enable_jitter_buffer: true, jitterbuffer_msec_max: 200, jitterbuffer_msec_min: 60 },
    onnet_t38_passthrough_enabled: true, webhook_api_version: "1", webhook_timeout_secs: 25,
    rtcp_settings: { capture_enabled: true, port: "rtcp-mux", report_frequency_secs: 10 },
  };
  const made = await connections.create({ ...stored, ...ignored });
  repeats(stored, made);
  await connections.remove(made.id);
});

test("connections by name and by FQDN", async () => {
  const made = await connections.create(connection());
  const name = domain();
  const fqdn = await fqdns.create({ connection_id: made.id, fqdn: name, dns_record_type: "srv", port: null });
  for (const filter of [{ connection_name: { contains: made.connection_name.toUpperCase() } }, { fqdn: name }]) {
    const rows = await connections.all({ filter });
    assert.deepEqual(rows.map(({ id }) => id), [made.id]);
  }
  await connections.remove(made.id);
  await refused(404, fqdns.retrieve(fqdn.id));
});

test("authentication: there from the start, set, changed, left alone", async () => {
  const made = await connections.create(connection());
  const before = await authentication.retrieve(made.id);
  assert.equal(before.user_name ?? null, null);
  assert.equal(before.password ?? null, null);
  assert.deepEqual(await authentication.update(made.id, {}), before);
  const sent = {
    user_name: userName(), password: "correct horse battery", ip_authentication_method: "token",
    fqdn_outbound_authentication: "ip-authentication", webhook_url: "https://example.com/hook",
    failover_url: "https://failover.example.com/hook",
  };
  const set = await authentication.update(made.id, sent);
  repeats(sent, set);
  assert.equal(set.password, "********");
  const changed = await authentication.update(made.id, { webhook_url: null, ip_authentication_method: "p-charge-info" });
  repeats({ ...sent, webhook_url: null, ip_authentication_method: "p-charge-info" }, changed);
  assert.deepEqual(await authentication.update(made.id, {}), changed);
  assert.deepEqual(await authentication.retrieve(made.id), changed);

  const other = await connections.create(connection());
  const [taken] = await refused(422, authentication.update(other.id,
    { user_name: sent.user_name.toUpperCase(), password: "correct horse battery" }));
  assert.equal(taken.code, "10012");
  assert.equal(taken.source.pointer, "/user_name");
  await refused(404, authentication.retrieve(NOWHERE));
  await refused(404, authentication.update(NOWHERE, { user_name: userName(), password: "correct horse battery" }));
  for (const { id } of [made, other]) await connections.remove(id);
});

test("fqdn: create, retrieve, list, update, delete", async () => {
  const of = await connections.create(connection());
  const sent = { connection_id: of.id, fqdn: domain(), dns_record_type: "a", port: 5080 };
  const made = await fqdns.create(sent);
  repeats(sent, made);
  assert.deepEqual(await fqdns.retrieve(made.id), made);
  const bare = await fqdns.create({ connection_id: of.id, fqdn: domain(), dns_record_type: "a" });
  assert.equal(bare.port, 5060);
  const wanted = [
    [{ connection_id: of.id }, [made.id, bare.id]], [{ fqdn: sent.fqdn }, [made.id]],
    [{ connection_id: of.id, port: 5080 }, [made.id]], [{ connection_id: of.id, dns_record_type: "srv" }, []],
  ];
  for (const [filter, ids] of wanted)
    assert.deepEqual((await fqdns.all({ filter, size: 1 })).map(({ id }) => id).sort(), ids.sort());
  const changed = await fqdns.update(made.id, { port: 5090 });
  repeats({ ...sent, port: 5090 }, changed);
  assert.deepEqual(await fqdns.update(made.id, {}), changed);
  assert.deepEqual(await fqdns.remove(made.id), changed);
  await refused(404, fqdns.retrieve(made.id));
  await connections.remove(of.id);
});
