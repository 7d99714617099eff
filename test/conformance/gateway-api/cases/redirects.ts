import { type ConformanceCase, prefix, type Row, route, rows } from '../case.js';

const EXAMPLE = 'hostname: example.org';

/** Rules that redirect a path each, all of one form. */
function redirects(byPath: Readonly<Record<string, string>>): string {
  return route(
    Object.entries(byPath).map(
      ([path, said]) =>
        `{ matches: [ { ${prefix(path)} } ], filters: [ { type: RequestRedirect, requestRedirect: { ${said} } } ] }`,
    ),
  );
}

const to = (path: string, status: number, location: string): Row => ({ path, status, got: { location } });

const fullPath = (value: string): string => `path: { type: ReplaceFullPath, replaceFullPath: ${value} }`;
const newPrefix = 'path: { type: ReplacePrefixMatch, replacePrefixMatch: /replacement-prefix }';

const HOST = {
  yaml: redirects({ '/hostname-redirect': EXAMPLE, '/host-and-status': `${EXAMPLE}, statusCode: 301` }),
  check: rows(
    to('/hostname-redirect', 302, 'http://example.org/hostname-redirect'),
    to('/host-and-status', 301, 'http://example.org/host-and-status'),
  ),
};

const PATH = {
  yaml: redirects({
    '/original-prefix': newPrefix,
    '/full': fullPath('/full-path-replacement'),
    '/path-and-host': `${EXAMPLE}, ${newPrefix}`,
    '/path-and-status': `${newPrefix}, statusCode: 301`,
    '/full-path-and-host': `${EXAMPLE}, ${fullPath('/replacement-full')}`,
    '/full-path-and-status': `${fullPath('/replacement-full')}, statusCode: 301`,
  }),
  check: rows(
    to('/original-prefix/lemon', 302, 'http://echo/replacement-prefix/lemon'),
    to('/full/path/original', 302, 'http://echo/full-path-replacement'),
    to('/path-and-host', 302, 'http://example.org/replacement-prefix'),
    to('/path-and-status', 301, 'http://echo/replacement-prefix'),
    to('/full-path-and-host', 302, 'http://example.org/replacement-full'),
    to('/full-path-and-status', 301, 'http://echo/replacement-full'),
  ),
};

const PORT = {
  yaml: redirects({
    '/port': 'port: 8083',
    '/port-and-host': `${EXAMPLE}, port: 8083`,
    '/port-and-status': 'port: 8083, statusCode: 301',
    '/port-and-host-and-status': `${EXAMPLE}, port: 8083, statusCode: 302`,
  }),
  check: rows(
    to('/port', 302, 'http://echo:8083/port'),
    to('/port-and-host', 302, 'http://example.org:8083/port-and-host'),
    to('/port-and-status', 301, 'http://echo:8083/port-and-status'),
    to('/port-and-host-and-status', 302, 'http://example.org:8083/port-and-host-and-status'),
  ),
};

const SCHEME = {
  yaml: redirects({
    '/scheme': 'scheme: https',
    '/scheme-and-host': `scheme: https, ${EXAMPLE}`,
    '/scheme-and-status': 'scheme: https, statusCode: 301',
    '/scheme-and-host-and-status': `scheme: https, ${EXAMPLE}, statusCode: 302`,
  }),
  check: rows(
    to('/scheme', 302, 'https://echo/scheme'),
    to('/scheme-and-host', 302, 'https://example.org/scheme-and-host'),
    to('/scheme-and-status', 301, 'https://echo/scheme-and-status'),
    to('/scheme-and-host-and-status', 302, 'https://example.org/scheme-and-host-and-status'),
  ),
};

const code = (status: number): Pick<ConformanceCase, 'yaml' | 'check'> => ({
  yaml: redirects({ '/moved': `${EXAMPLE}, statusCode: ${status}` }),
  check: rows(to('/moved', status, 'http://example.org/moved')),
});

const MESH = { profile: 'MESH-HTTP' } as const;
const GATEWAY = { profile: 'GATEWAY-HTTP' } as const;

/** Redirects, of the mesh's profile and of the gateway's. */
export const REDIRECT_CASES: readonly ConformanceCase[] = [
  { ...MESH, name: 'MeshHTTPRouteRedirectHostAndStatus', behaviours: ['B-019'], features: [], ...HOST },
  {
    ...MESH,
    name: 'MeshHTTPRouteRedirectPath',
    behaviours: ['B-017'],
    features: ['MeshHTTPRouteRedirectPath'],
    ...PATH,
  },
  {
    ...MESH,
    name: 'MeshHTTPRouteRedirectPort',
    behaviours: ['B-018'],
    features: ['MeshHTTPRouteRedirectPort'],
    ...PORT,
  },
  {
    ...MESH,
    name: 'MeshHTTPRouteSchemeRedirect',
    behaviours: ['B-018'],
    features: ['MeshHTTPRouteSchemeRedirect'],
    ...SCHEME,
  },
  ...[303, 307, 308].flatMap((status): ConformanceCase[] => [
    {
      ...MESH,
      name: `MeshHTTPRoute${status}Redirect`,
      behaviours: ['B-019'],
      features: [`HTTPRoute${status}RedirectStatusCode`],
      ...code(status),
    },
    {
      ...GATEWAY,
      name: `HTTPRoute${status}Redirect`,
      features: [`HTTPRoute${status}RedirectStatusCode`],
      ...code(status),
    },
  ]),
  { ...GATEWAY, name: 'HTTPRouteRedirectHostAndStatus', features: [], ...HOST },
  { ...GATEWAY, name: 'HTTPRouteRedirectPath', features: ['HTTPRoutePathRedirect'], ...PATH },
  { ...GATEWAY, name: 'HTTPRouteRedirectPort', features: ['HTTPRoutePortRedirect'], ...PORT },
  { ...GATEWAY, name: 'HTTPRouteRedirectScheme', features: ['HTTPRouteSchemeRedirect'], ...SCHEME },
  {
    ...GATEWAY,
    name: 'HTTPRouteRedirectPortAndScheme',
    features: ['HTTPRoutePortRedirect', 'HTTPRouteSchemeRedirect'],
    yaml: redirects({
      '/nothing': EXAMPLE,
      '/port-80': `${EXAMPLE}, port: 80`,
      '/port-8080': `${EXAMPLE}, port: 8080`,
      '/http': `${EXAMPLE}, scheme: http`,
      '/http-80': `${EXAMPLE}, scheme: http, port: 80`,
      '/http-8080': `${EXAMPLE}, scheme: http, port: 8080`,
      '/https': `${EXAMPLE}, scheme: https`,
      '/https-443': `${EXAMPLE}, scheme: https, port: 443`,
      '/https-8443': `${EXAMPLE}, scheme: https, port: 8443`,
    }),
    check: rows(
      to('/nothing', 302, 'http://example.org/nothing'),
      to('/port-80', 302, 'http://example.org/port-80'),
      to('/port-8080', 302, 'http://example.org:8080/port-8080'),
      to('/http', 302, 'http://example.org/http'),
      to('/http-80', 302, 'http://example.org/http-80'),
      to('/http-8080', 302, 'http://example.org:8080/http-8080'),
      to('/https', 302, 'https://example.org/https'),
      to('/https-443', 302, 'https://example.org/https-443'),
      to('/https-8443', 302, 'https://example.org:8443/https-8443'),
    ),
  },
];
