// What a service provider's metadata says. Its entity id is where that is.
const known = new Map();

const locationOf = (text, service) => new RegExp(`${service}[^>]*Location="([^"]*)"`).exec(text)?.[1].replaceAll('&amp;', '&');

export async function serviceProvider(entity) {
  if (!known.has(entity)) {
    const text = await (await fetch(entity)).text();
    const der = /X509Certificate>([^<]*)</.exec(text)?.[1].replace(/\s/g, '');
    known.set(entity, { acs: locationOf(text, 'AssertionConsumerService'), slo: locationOf(text, 'SingleLogoutService'),
      cert: der && `-----BEGIN CERTIFICATE-----\n${der.match(/.{1,64}/g).join('\n')}\n-----END CERTIFICATE-----\n` });
  }
  return known.get(entity);
}
