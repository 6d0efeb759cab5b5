// Tabs as the ARIA practices have them: one stop for Tab, arrows and Home and End between them, and
// the panel names its tab. Which one is open is the caller's to keep.
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

export interface Tab<Id extends string> {
  readonly id: Id;
  readonly title: string;
}

interface TabsProps<Id extends string> {
  readonly label: string;
  readonly tabs: readonly Tab<Id>[];
  readonly open: Id;
  readonly onOpen: (id: Id) => void;
  readonly children: ComponentChildren;
}

export function Tabs<Id extends string>(props: TabsProps<Id>) {
  const { label, tabs, open, onOpen, children } = props;
  const list = useRef<HTMLDivElement>(null);
  // Where they do not all fit, the open one is in sight.
  useEffect(() => {
    const bar = list.current;
    const tab = bar?.querySelector<HTMLElement>(`#tab-${open}`);
    if (bar === null || tab === null || tab === undefined) return;
    const right = tab.offsetLeft - bar.offsetLeft + tab.offsetWidth;
    if (right > bar.scrollLeft + bar.clientWidth) bar.scrollLeft = right - bar.clientWidth + 8;
    else if (tab.offsetLeft - bar.offsetLeft < bar.scrollLeft) {
      bar.scrollLeft = tab.offsetLeft - bar.offsetLeft - 8;
    }
  }, [open]);
  const move = (event: KeyboardEvent): void => {
    // From where the focus is: keys may come faster than the open tab is drawn.
    const focused = event.target instanceof Element ? event.target.id : "";
    const at = tabs.findIndex(({ id }) => `tab-${id}` === focused);
    const to = targetOf(event.key, at, tabs.length);
    const tab = to === undefined ? undefined : tabs[to];
    if (tab === undefined) return;
    event.preventDefault();
    onOpen(tab.id);
    list.current?.querySelector<HTMLElement>(`#tab-${tab.id}`)?.focus();
  };
  return (
    <>
      <div class="tabs" role="tablist" aria-label={label} ref={list} onKeyDown={move}>
        {tabs.map(({ id, title }) => (
          <button
            key={id}
            type="button"
            role="tab"
            id={`tab-${id}`}
            aria-selected={id === open}
            aria-controls="tab-panel"
            tabIndex={id === open ? 0 : -1}
            onClick={() => onOpen(id)}
          >
            {title}
          </button>
        ))}
      </div>
      <div
        class="tab-panel"
        role="tabpanel"
        id="tab-panel"
        aria-labelledby={`tab-${open}`}
        tabIndex={0}
      >
        {children}
      </div>
    </>
  );
}

function targetOf(key: string, at: number, count: number): number | undefined {
  if (key === "ArrowRight") return (at + 1) % count;
  if (key === "ArrowLeft") return (at + count - 1) % count;
  if (key === "Home") return 0;
  if (key === "End") return count - 1;
  return undefined;
}
