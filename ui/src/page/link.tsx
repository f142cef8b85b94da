/** A link to another state of the page: it opens here, unless it was asked to open elsewhere. */
import type { ComponentChildren } from "preact";
import { go, linkTo } from "./address";

interface Props {
  to: Parameters<typeof go>[0];
  children: ComponentChildren;
  class?: string;
}

export function Link({ to, children, class: name }: Props) {
  return (
    <a
      class={name}
      href={linkTo(to)}
      onClick={(event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
        event.preventDefault();
        event.stopPropagation();
        go(to);
      }}
    >
      {children}
    </a>
  );
}
