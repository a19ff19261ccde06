// 503: no worker is there. Against a gateway alone.
import { test } from "node:test";
import { client, NOWHERE, provider, refused } from "./client.mjs";

test("503", async () => {
  const { providers, connections, fqdns } = client();
  await Promise.all([
    refused(503, providers.retrieve(NOWHERE)), refused(503, providers.create(provider())),
    refused(503, connections.retrieve(NOWHERE)), refused(503, fqdns.page()),
  ]);
});
