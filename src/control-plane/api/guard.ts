import { timingSafeEqual } from 'node:crypto';
import type { NextFunction, Request, Response } from 'express';
import { ApiProblem } from './problem.js';

/**
 * Who may speak to the API at all (security rules, 4.9): Host first, since a page of a rebound name sends no Origin;
 * then Origin, token, and a JSON content type for everything that writes.
 */
export function guard(token: string, ports: readonly number[]) {
  const expected = Buffer.from(`Bearer ${token}`);
  const hosts = new Set(ports.flatMap((port) => [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`]));
  return (request: Request, _response: Response, next: NextFunction): void => {
    if (!hosts.has(request.headers.host ?? '')) throw new ApiProblem(403, 'this Host is not allowed');
    if (request.headers.origin !== undefined) throw new ApiProblem(403, 'requests from web pages are not allowed');
    const given = Buffer.from(request.headers.authorization ?? '');
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
      throw new ApiProblem(401, 'the token is missing or wrong', 'use the mesh-sandbox command, which knows it');
    }
    const writes = request.method === 'POST' || request.method === 'PUT';
    if (writes && !request.is('application/json')) throw new ApiProblem(415, 'the body must be application/json');
    next();
  };
}
