// Pages neither overlap nor skip. In an organization of its own ($LK_KEY).
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { client, connection, domain, provider } from "./client.mjs";

const COUNT = 23;
const one = client();
const ids = (rows) => rows.map(({ id }) => id);
const made = { providers: [], connections: [], fqdns: [] };

before(async () => {
  for (let i = 0; i < COUNT; i++) {
    // Names that are equal: ties are what pages are lost over.
    const active = i % 2 === 0;
    made.providers.push(await one.providers.create(provider({ name: `Name ${i % 4}`, active })));
    made.connections.push(await one.connections.create(connection({ connection_name: `Name ${i % 4}`, active })));
    made.fqdns.push(await one.fqdns.create({
      connection_id: made.connections[0].id, fqdn: domain(), dns_record_type: "srv", port: null,
    }));
  }
  for (const i of [3, 11, 5]) await one.providers.update(made.providers[i].id, { name: `Name ${i % 4}`, active: true });
});

async function pagesOf(kind, sort) {
  const whole = ids(made[kind]).sort();
  const orders = [];
  for (const size of [1, 5, 250]) {
    const rows = await one[kind].all({ size, ...(sort && { sort }) });
    assert.deepEqual(ids(rows).sort(), whole, `${kind} by ${sort}, ${size} a page`);
    orders.push(ids(rows));
    if (!sort) continue;
    const name = sort.replace("-", "");
    const values = rows.map((row) => row[name]);
    if (sort.startsWith("-")) values.reverse();
    for (let i = 1; i < values.length; i++) assert.ok(values[i - 1] <= values[i], `${kind} by ${sort}`);
  }
  for (const order of orders) assert.deepEqual(order, orders[0]);
}

for (const name of ["name", "short_name", "active", "created_at", "updated_at"])
  for (const sort of [name, `-${name}`]) test(`providers by ${sort}`, () => pagesOf("providers", sort));
for (const name of ["created_at", "connection_name", "active"])
  for (const sort of [name, `-${name}`]) test(`connections by ${sort}`, () => pagesOf("connections", sort));
for (const kind of ["providers", "connections", "fqdns"]) test(`${kind} as they come`, () => pagesOf(kind));

test("a page's place in the whole; past the end", async () => {
  for (const kind of ["providers", "connections", "fqdns"]) {
    for (const [number, length] of [[1, 5], [5, 3], [6, 0]]) {
      const { data, meta } = await one[kind].page({ number, size: 5 });
      assert.equal(data.length, length);
      assert.deepEqual({ ...meta }, { page_number: number, page_size: 5, total_pages: 5, total_results: COUNT });
    }
  }
});

// Others insert all the while: whoever reads by created_at gets the beginning of what there is in the end.
async function whileOthersInsert(kind, make) {
  const already = ids(await one[kind].all({ size: 250, sort: "created_at" }));
  let reading = true;
  const insert = async () => {
    const other = client();
    for (let i = 0; reading && i < 60; i++) await other[kind].create(make());
  };
  const inserting = [insert(), insert()];
  const read = ids(await one[kind].all({ size: 3, sort: "created_at" }));
  reading = false;
  await Promise.all(inserting);
  const whole = ids(await one[kind].all({ size: 250, sort: "created_at" }));
  assert.ok(whole.length > already.length);
  assert.deepEqual(read.slice(0, already.length), already);
  assert.deepEqual(read, whole.slice(0, read.length));
}

test("providers by created_at while others insert", () => whileOthersInsert("providers", provider));
test("connections by created_at while others insert", () => whileOthersInsert("connections", connection));
