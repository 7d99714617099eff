import type { Answer } from './call.js';

export interface PageInput {
  readonly product: { readonly title: string; readonly descriptionHtml: string };
  readonly details: Answer;
  readonly reviews: Answer;
  readonly user: string;
}

interface Review {
  readonly reviewer: string;
  readonly text: string;
  readonly rating?: { readonly stars?: number; readonly color?: string; readonly error?: string };
}

/** Which of the three versions answered also shows in the stars. */
const STARS_OF: Readonly<Record<string, string>> = { v1: 'no', v2: 'black', v3: 'red' };

/** The whole page as one self-contained document. */
export function page({ product, details, reviews, user }: PageInput): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Simple Bookstore App</title><style>${STYLE}</style></head><body>
<header><strong>BookInfo Sample</strong>${signIn(user)}</header>
<main><h1>${product.title}</h1><p class="summary">${product.descriptionHtml}</p>
<div class="columns"><section><h2>Book Details</h2>${detailsHtml(details)}</section>
<section><h2>Book Reviews</h2>${reviewsHtml(reviews)}</section></div></main></body></html>`;
}

function signIn(user: string): string {
  if (user !== '') return `<span>${escapeHtml(user)} (<a href="/logout">sign out</a>)</span>`;
  return `<form method="post" action="/login"><input name="username" placeholder="User name" aria-label="User name" required><button>Sign in</button></form>`;
}

function detailsHtml({ status, body }: Answer): string {
  if (status !== 200 || !isObject(body))
    return problem(
      'Error fetching product details!',
      'Sorry, product details are currently unavailable for this book.',
    );
  const rows = Object.entries(body)
    .filter(([name]) => name !== 'id')
    .map(([name, value]) => `<tr><th>${escapeHtml(name)}</th><td>${escapeHtml(String(value))}</td></tr>`);
  return `<table>${rows.join('')}</table>`;
}

function reviewsHtml({ status, body }: Answer): string {
  if (status !== 200 || !isObject(body) || !Array.isArray(body['reviews']))
    return problem(
      'Error fetching product reviews!',
      'Sorry, product reviews are currently unavailable for this book.',
    );
  const items = body['reviews']
    .filter(isObject)
    .map(
      ({ reviewer, text, rating }: Partial<Review>) =>
        `<blockquote><p>${escapeHtml(text)}</p><footer>${escapeHtml(reviewer)} ${ratingHtml(rating)}</footer></blockquote>`,
    );
  const version = String(body['version'] ?? '');
  const stars = STARS_OF[version];
  const hint = stars === undefined ? version : `${stars} stars: ${version}`;
  return `${items.join('')}<p class="served">Reviews served by: <code>${escapeHtml(body['podname'])}</code>${hint === '' ? '' : ` (${escapeHtml(hint)})`}</p>`;
}

function ratingHtml(rating: Review['rating']): string {
  if (!isObject(rating)) return '';
  if (typeof rating.stars !== 'number') return `<em class="missing">${escapeHtml(rating.error)}</em>`;
  const count = Math.min(5, Math.max(0, Math.round(rating.stars) || 0));
  return `<span class="${rating.color === 'red' ? 'red' : 'black'}" role="img" aria-label="${count} stars">${'★'.repeat(count)}${'☆'.repeat(5 - count)}</span>`;
}

function problem(title: string, text: string): string {
  return `<div class="problem"><h3>${title}</h3><p>${text}</p></div>`;
}

/** A body may be anything: a mesh can answer in a service's place. */
function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function escapeHtml(text: unknown): string {
  return String(text ?? '').replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const STYLE = `
:root{font-family:system-ui,sans-serif;color:#1c2733;background:#f5f7fa}body{margin:0}
header{display:flex;justify-content:space-between;align-items:center;gap:1rem;background:#1f3a5f;color:#fff;padding:.8rem 1.5rem}
header a{color:#cfe3ff}header input,header button{font:inherit;padding:.3rem .6rem;border:0;border-radius:4px}
main{max-width:60rem;margin:1.5rem auto;padding:0 1.5rem}h1{margin:.2rem 0}.summary{color:#4a5a6a}
.columns{display:grid;grid-template-columns:minmax(16rem,1fr) 2fr;gap:1.5rem}section{background:#fff;border:1px solid #dde4ec;border-radius:8px;padding:1rem 1.4rem}
@media(max-width:46rem){.columns{grid-template-columns:1fr}}table{width:100%;border-collapse:collapse}th{text-align:left;text-transform:capitalize;font-weight:600}
td,th{padding:.35rem 0;border-bottom:1px solid #eef2f6}blockquote{margin:0 0 1rem;padding:.2rem 0 .2rem 1rem;border-left:4px solid #dde4ec}
footer{color:#4a5a6a}.black{color:#111}.red{color:#c62828}.missing{color:#a15c00}.problem{border-left:4px solid #c62828;padding:.2rem 1rem;background:#fff5f5}.served{color:#6a7a8a;font-size:.9rem}`;
