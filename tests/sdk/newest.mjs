// The newest release of the official client, as the tests ask for it: see client.mjs.
import Telnyx from "telnyx";

export const kinds = {
  400: "BadRequestError", 401: "AuthenticationError", 403: "PermissionDeniedError", 404: "NotFoundError",
  405: "APIError", 413: "APIError", 415: "APIError", 422: "UnprocessableEntityError", 429: "RateLimitError",
  503: "InternalServerError",
};

const query = ({ number, size, ...rest }) => ({
  ...rest, ...(number && { "page[number]": number }), ...(size && { "page[size]": size }),
});

function resource(of) {
  return {
    create: async (body) => (await of.create(body)).data,
    retrieve: async (id) => (await of.retrieve(id)).data,
    update: async (id, body) => (await of.update(id, body)).data,
    remove: async (id) => (await of.delete(id)).data,
    page: async (wanted = {}) => {
      const { data, meta } = await of.list(query(wanted));
      return { data, meta };
    },
    all: async (wanted = {}) => {
      const rows = [];
      for await (const row of of.list(query(wanted))) rows.push(row);
      return rows;
    },
  };
}

export function open(key, base) {
  const client = new Telnyx({ apiKey: key, baseURL: `${base}/v2`, maxRetries: 0 });
  const authentication = client.fqdnConnections.fqdnAuthentication;
  return {
    providers: resource(client.authenticationProviders),
    connections: resource(client.fqdnConnections),
    fqdns: resource(client.fqdns),
    authentication: {
      retrieve: async (id) => (await authentication.list(id)).data,
      update: async (id, body) => (await authentication.patchAll(id, body)).data,
    },
    put: (path) => client.put(`/${path}`, { body: {} }),
    postText: (path) => client.post(`/${path}`, { body: "text", headers: { "content-type": "text/plain" } }),
  };
}

export const failure = (error) => ({
  kind: error.constructor.name, status: error.status, errors: error.error?.errors,
});
