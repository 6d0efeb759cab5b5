// The heading of a view, which is also the document's title and where focus goes after a link. A
// view that has loaded has another heading than while it loaded: focus goes from one to the other.
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

interface PageTitleProps {
  /** Plain text, for the tab of the browser. */
  readonly title: string;
  readonly children?: ComponentChildren;
}

/** Whether the heading that has just gone had the focus. */
let wasFocused = false;

export function PageTitle({ title, children }: PageTitleProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Holdfast`;
  }, [title]);
  useLayoutEffect(() => {
    const here = heading.current;
    if (wasFocused) here?.focus();
    wasFocused = false;
    return () => {
      wasFocused = here !== null && document.activeElement === here;
    };
  }, []);
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children ?? title}
    </h1>
  );
}
