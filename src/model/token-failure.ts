/**
 * Why a token is not believed: Envoy's words for it, which are the body of the answer. 401, and 403 for one that is good but
 * meant for others.
 */
function refused<const B extends string>(body: B, status = 401) {
  return {
    status,
    flag: '',
    details: `jwt_authn_access_denied{${body.replaceAll(' ', '_')}}`,
    body: body as string,
    blame: 'callee-policy',
    sentence: `the sidecar of %s does not believe the caller's token: ${body}`,
  } as const;
}

export const TOKEN_FAILURES = {
  token_malformed: refused('Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections'),
  token_header_encoding: refused('Jwt header is an invalid Base64url encoded'),
  token_header_json: refused('Jwt header is an invalid JSON'),
  token_algorithm_missing: refused('Jwt header [alg] field is required and must be a string'),
  token_algorithm_unknown: refused('Jwt header [alg] is not supported'),
  token_key_id: refused('Jwt header [kid] field is not a string'),
  token_payload_encoding: refused('Jwt payload is an invalid Base64url encoded'),
  token_payload_json: refused('Jwt payload is an invalid JSON'),
  token_claim_type: refused('Jwt payload has a claim of the wrong type'),
  token_signature_encoding: refused('Jwt signature is an invalid Base64url encoded'),
  token_issuer_unknown: refused('Jwt issuer is not configured'),
  token_not_yet_valid: refused('Jwt not yet valid'),
  token_expired: refused('Jwt is expired'),
  token_audience: refused('Audiences in Jwt are not allowed', 403),
  token_key_unknown: refused("Jwks doesn't have key to match kid or alg from Jwt"),
  token_unverified: refused('Jwt verification fails'),
};

export type TokenFailure = keyof typeof TOKEN_FAILURES;
