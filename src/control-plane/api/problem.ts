/** An answer of the API that is not 2xx: what is wrong, and what to do about it. */
export class ApiProblem extends Error {
  readonly status: number;
  readonly hint: string;
  constructor(status: number, message: string, hint = '') {
    super(message);
    this.name = 'ApiProblem';
    this.status = status;
    this.hint = hint;
  }
}
