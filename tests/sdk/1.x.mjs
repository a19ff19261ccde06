// Release 1.x of the official client, as the tests ask for it: see client.mjs.
//
// It takes every answer with `errors` for an error, whatever the status. What it answers of connections
// and FQDNs is copied into the client itself, lists too, which its own auto-paging does not survive:
// hence a client for every call, and pages by number.
import Telnyx from "telnyx-1";

const { TelnyxResource } = Telnyx;

export const kinds = {
  400: "TelnyxInvalidRequestError", 401: "TelnyxAuthenticationError", 403: "TelnyxPermissionError",
  404: "TelnyxResourceNotFoundError", 405: "TelnyxMethodNotSupportedError", 413: "TelnyxAPIError",
  415: "TelnyxUnsupportedMediaTypeError", 422: "TelnyxInvalidParametersError", 429: "TelnyxRateLimitError",
  503: "TelnyxServiceUnavailableError",
};

const query = ({ number, size, ...rest }) => ({
  ...rest, ...((number || size) && { page: { ...(number && { number }), ...(size && { size }) } }),
});

function basic(of) {
  return {
    create: async (body) => (await of.create(body)).data,
    retrieve: async (id) => (await of.retrieve(id)).data,
    update: async (id, body) => (await of.update(id, body)).data,
    remove: async (id) => (await of.del(id)).data,
    page: async (wanted = {}) => {
      const { data, meta } = await of.list(query(wanted));
      return { data, meta };
    },
    all: (wanted = {}) => of.list(query(wanted)).autoPagingToArray({ limit: 10000 }),
  };
}

// The members of an answer, without those of the client.
const plain = (data) => Object.fromEntries(Object.entries(data).filter(
  ([name, value]) => typeof value !== "function" && !name.startsWith("_") && name !== "resourcePath"));

function copied(make) {
  const page = async (wanted = {}) => {
    const { data, meta } = await make().list(query(wanted));
    return { data: Object.keys(data).filter((name) => /^\d+$/.test(name)).map((name) => data[name]), meta };
  };
  const one = async (id) => (await make().retrieve(id)).data;
  return {
    create: async (body) => plain((await make().create(body)).data),
    retrieve: async (id) => plain(await one(id)),
    update: async (id, body) => (await (await one(id)).update(body)).data,
    remove: async (id) => (await (await one(id)).del()).data,
    page,
    all: async (wanted = {}) => {
      const rows = [];
      for (let number = 1; ; number++) {
        const { data, meta } = await page({ ...wanted, number });
        rows.push(...data);
        if (data.length === 0 || number >= meta.total_pages) return rows;
      }
    },
  };
}

// What the release has no method for, by its own means.
const method = (verb, path, headers) =>
  TelnyxResource.method({ method: verb, path, urlParams: path ? ["id"] : [], headers });
const Authentication = TelnyxResource.extend({
  path: "fqdn_connections",
  retrieve: method("GET", "/{id}/fqdn_authentication"),
  update: method("PATCH", "/{id}/fqdn_authentication"),
});
const at = (path, verb, headers) => TelnyxResource.extend({ path, ask: method(verb, "", headers) });

export function open(key, base) {
  const { hostname, port } = new URL(base);
  const make = () => {
    const client = Telnyx(key);
    client.setHost(hostname, port, "http");
    return client;
  };
  const authentication = new Authentication(make());
  return {
    providers: basic(make().authenticationProviders),
    connections: copied(() => make().fqdnConnections),
    fqdns: copied(() => make().fqdns),
    authentication: {
      retrieve: async (id) => (await authentication.retrieve(id)).data,
      update: async (id, body) => (await authentication.update(id, body)).data,
    },
    put: (path) => new (at(path, "PUT"))(make()).ask({ name: "x" }),
    postText: (path) => new (at(path, "POST", { "Content-Type": "text/plain" }))(make()).ask({ name: "x" }),
  };
}

export const failure = (error) => ({ kind: error.type, status: error.statusCode, errors: error.raw?.errors });
