// Lists of issues for people: bounded in number and in size, whatever the document or the request.
// An issue is put together only if it is listed, for its hint may compare hundreds of names.
import type { Issue } from "./error.ts";
import { MAX_ISSUE_BYTES, MAX_ISSUES } from "./limits.ts";
import { cutText } from "./text.ts";

/** The issues of the first that were found; a last one tells how many more there are. */
export function firstIssues<Found>(
  found: readonly Found[],
  issueOf: (one: Found) => Issue,
): readonly Issue[] {
  const listed = found.slice(0, MAX_ISSUES).map((one) => brief(issueOf(one)));
  const more = found.length - listed.length;
  return more === 0 ? listed : [...listed, { message: `${more} more problems are not listed` }];
}

/** A name may be as long as its document, and stand in every issue. */
function brief({ pointer, message, hint, ...rest }: Issue): Issue {
  const isLong = pointer !== undefined && pointer.length > MAX_ISSUE_BYTES;
  return {
    ...rest,
    message: cutText(message, MAX_ISSUE_BYTES),
    ...(pointer === undefined || isLong ? {} : { pointer }),
    ...(hint === undefined ? {} : { hint: cutText(hint, MAX_ISSUE_BYTES) }),
  };
}
