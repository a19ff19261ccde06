// Pages neither overlap nor skip. In an organization of its own ($LK_KEY).
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { client, connection, domain, provider } from "./client.mjs";

const COUNT = 23;
const one = client();
const ids = (rows) => rows.map(({ id }) => id);
// Equal names: ties are what pages are lost over.
const some = (i) => ({ active: i % 2 === 0, name: `Name ${i % 4}` });

function describePages(kind, makeAll, sorts) {
  let made;
  before(async () => { made = await makeAll(); });

  for (const sort of [undefined, ...sorts.flatMap((name) => [name, `-${name}`])]) {
    test(`by ${sort ?? "what the server likes"}`, async () => {
      const orders = [];
      for (const size of [1, 5, 250]) {
        const rows = await one[kind].all({ size, ...(sort && { sort }) });
        assert.deepEqual(ids(rows).sort(), ids(made).sort(), `${size} a page`);
        orders.push(ids(rows));
        if (sort) ascending(rows, sort);
      }
      for (const order of orders) assert.deepEqual(order, orders[0]);
    });
  }

  test("a page's place in the whole; past the end", async () => {
    for (const [number, length] of [[1, 5], [5, 3], [6, 0]]) {
      const { data, meta } = await one[kind].page({ number, size: 5 });
      assert.equal(data.length, length);
      assert.deepEqual({ ...meta }, { page_number: number, page_size: 5, total_pages: 5, total_results: COUNT });
    }
  });
}

function ascending(rows, sort) {
  const values = rows.map((row) => row[sort.replace("-", "")]);
  if (sort.startsWith("-")) values.reverse();
  for (let i = 1; i < values.length; i++) assert.ok(values[i - 1] <= values[i], `by ${sort}`);
}

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

describe("providers", () => {
  describePages("providers", async () => {
    const made = [];
    for (let i = 0; i < COUNT; i++) made.push(await one.providers.create(provider(some(i))));
    for (const i of [3, 11, 5]) await one.providers.update(made[i].id, { active: true });
    return made;
  }, ["name", "short_name", "active", "created_at", "updated_at"]);
  test("by created_at while others insert", () => whileOthersInsert("providers", provider));
});

describe("connections", () => {
  describePages("connections", async () => {
    const made = [];
    for (let i = 0; i < COUNT; i++) {
      const { active, name } = some(i);
      made.push(await one.connections.create({ connection_name: name, active }));
    }
    return made;
  }, ["connection_name", "active", "created_at"]);
  test("by created_at while others insert", () => whileOthersInsert("connections", connection));
});

describe("fqdns", () => {
  describePages("fqdns", async () => {
    const of = await one.connections.create(connection());
    const made = [];
    for (let i = 0; i < COUNT; i++)
      made.push(await one.fqdns.create({ connection_id: of.id, fqdn: domain(), dns_record_type: "srv", port: null }));
    return made;
  }, []);
});
