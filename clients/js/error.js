// ParleyError: why a call, a push or a stream failed, as parley/base/status.h has it in C++.
//
//   try {
//     await peer.call('/order/place', order);
//   } catch (error) {
//     if (error.name === 'not_sent') ...            // it cannot have run: safe to send again
//     if (error.businessCode === 1001) ...          // an error of the service's own domain
//   }

// By number. The first seventeen are gRPC's.
const names = [
  'ok', 'cancelled', 'unknown', 'invalid_argument', 'deadline_exceeded', 'not_found',
  'already_exists', 'permission_denied', 'resource_exhausted', 'failed_precondition', 'aborted',
  'out_of_range', 'unimplemented', 'internal', 'unavailable', 'data_loss', 'unauthenticated',
  'not_sent', 'outcome_unknown',
];

// Code.not_found is 5.
export const Code = Object.freeze(
  Object.fromEntries(names.map((name, number) => [name, number])));

// A code of a later version is an error all the same.
export const codeOf = (number) => (number < names.length ? Number(number) : Code.unknown);

export class ParleyError extends Error {
  // `code`: a name or a number of Code, not ok. `more`: businessCode, cause (a text), metadata
  // (that of the answer), isRemote.
  constructor(code, message, more = {}) {
    super(message);
    this.code = typeof code === 'string' ? Code[code] ?? Code.unknown : codeOf(code);
    this.name = names[this.code];
    this.businessCode = more.businessCode ?? 0;
    this.cause = more.cause ?? '';
    this.metadata = more.metadata ?? [];
    // Another process made it: it came over the wire.
    this.isRemote = more.isRemote ?? false;
  }

  // An error of one's own domain, numbered 1000 or more.
  static business(businessCode, message, more = {}) {
    return new ParleyError('failed_precondition', message, {...more, businessCode});
  }

  toString() {
    const number = this.businessCode ? `/${this.businessCode}` : '';
    return `${this.name}${number}: ${this.message}${this.cause ? ` (cause: ${this.cause})` : ''}`;
  }
}

// What was thrown, as an error that can be told.
export const asStatus = (error) => {
  if (error instanceof ParleyError) return error;
  const cause = String(error?.message ?? error);
  return new ParleyError('internal', 'the handler failed', {cause});
};
