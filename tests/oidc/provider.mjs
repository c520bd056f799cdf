// A real OpenID Connect provider (npm's oidc-provider) on loopback, for tests. Nobody's password is checked: whoever
// types a login is that person, with the claims that the test gave. It writes its issuer as one line of JSON; the
// line `rotate` on its standard input gives it a new signing key, `end` or the end of its input ends it.
//
//   node provider.mjs '{"client_id": …, "client_secret": …, "redirect_uri": …, "people": {"alice": {"groups": […]}}}'
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';

import { Provider } from 'oidc-provider';

const asked = JSON.parse(process.argv[2]);
const server = createServer((request, response) => answer(request, response));
let answer = (_request, response) => response.writeHead(503).end();

function key() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), alg: 'RS256', use: 'sig' };
}

const cookieKey = randomUUID();

function provide(issuer) {
  const provider = new Provider(issuer, {
    clients: [{
      client_id: asked.client_id,
      client_secret: asked.client_secret,
      redirect_uris: [asked.redirect_uri],
      grant_types: ['authorization_code'],
      response_types: ['code'],
    }],
    claims: { openid: ['sub'], profile: ['name', 'preferred_username'], email: ['email', 'email_verified'], groups: ['groups'] },
    conformIdTokenClaims: false, // claims of the scopes are in the ID token, as most providers do it
    cookies: { keys: [cookieKey] },
    features: { devInteractions: { enabled: true } },
    findAccount: (_context, login) => ({ accountId: login, claims: () => ({ sub: login, ...asked.people[login] }) }),
    jwks: { keys: [key()] },
    ttl: { AccessToken: 300, AuthorizationCode: 60, Grant: 600, IdToken: 300, Interaction: 600, Session: 600 },
  });
  answer = provider.callback();
}

server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  provide(issuer);
  console.log(JSON.stringify({ issuer }));
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    if (line === 'rotate') { provide(issuer); console.log('{"rotated": true}'); }
    if (line === 'end') process.exit(0);
  });
  lines.on('close', () => process.exit(0));
});
